import HostModel

extension Setting {
  /// What somebody else writes there; nil for pools, which have users instead.
  ///
  /// It is a value that Berth never writes, so that the two can be told apart in the end; where there
  /// are only two, it is the one that Berth does not write for a domain.
  func meddled(_ number: Int) -> Value? {
    switch self {
    case Sample.latency: .text("\(31 + number)")
    case Crowd.ceiling: .text("\(60 + number)")
    case Sample.task: .cpus([number])
    case .attribute(_, .cpuList), .attribute(_, .cpuMask): .cpus([0, 7 + number])
    case .attribute, .coupled: .text("foreign-\(number)")
    case .driver, .platformDriver:
      .driver(DriverBinding(driver: "foreign-\(number)", override: nil))
    case .virtualFunctions: .count(40 + number)
    case .virtualFunction: .text("foreign-\(number)")
    case .slot: .functions([])
    case .allowedCPUs:
      .allowedCPUs(AllowedCPUs(cpus: [0, 7 + number], hasRuntimeDropIn: true))
    case .affinity: .cpus([number])
    case .scheduler:
      .scheduler(ThreadScheduler(policy: 3, priority: 0, resetsOnFork: number == 0))
    case .interrupt, .balancedOff, .cpuset: .cpus([0, 7 + number])
    case .coreCookie, .balancing: .text("foreign-\(number)")
    // There are two values only, and both are Berth's.
    case .module, .console: nil
    // Of what the kernel changes with a driver, nobody can tell that it was somebody else.
    case .functionAttribute(_, .powerControl): nil
    case .functionAttribute: .text("foreign-\(number)")
    case .barSize: .count(3 + number)
    case .hugepagePool, .every: nil
    // There is no third value: he starts what Berth stopped, and the other way round.
    case .service: .activity(.active)
    case .ownService: .activity(.inactive)
    }
  }
}
