/// What a setting holds, in the form in which two readings can be compared.
package enum Value: Hashable, Sendable {
  case text(String)
  case cpus(CPUList)
  case count(Int)
  case driver(DriverBinding)
  case functions([SlotFunction])
  case allowedCPUs(AllowedCPUs)
  case scheduler(ThreadScheduler)
  case activity(Activity)
}

extension Value {
  /// Of an interrupt: irqbalance does not move it.
  package static let leftAlone = Value.text("left alone")
  /// Of an interrupt: irqbalance moves it as it sees fit.
  package static let balanced = Value.text("balanced")
}

/// A PCI function's driver and the name in its `driver_override`; nil for none.
package struct DriverBinding: Hashable, Sendable {
  package var driver: String?
  package var override: String?

  package init(driver: String?, override: String?) {
    self.driver = driver
    self.override = override
  }
}

/// The CPUs that the processes of a unit may use.
package struct AllowedCPUs: Hashable, Sendable {
  /// Empty where the unit is not confined.
  package var cpus: CPUList
  /// Whether systemd keeps a drop-in for `AllowedCPUs=` among its runtime files.
  package var hasRuntimeDropIn: Bool

  package init(cpus: CPUList, hasRuntimeDropIn: Bool) {
    self.cpus = cpus
    self.hasRuntimeDropIn = hasRuntimeDropIn
  }
}

/// A thread's scheduling policy, as `sched_setscheduler(2)` takes it.
package struct ThreadScheduler: Hashable, Sendable {
  /// `SCHED_OTHER` 0, `SCHED_FIFO` 1, `SCHED_RR` 2, `SCHED_BATCH` 3, `SCHED_IDLE` 5.
  package var policy: Int
  /// 1 to 99 for the real-time policies, 0 for the others.
  package var priority: Int
  /// Whether children start with `SCHED_OTHER` (`SCHED_RESET_ON_FORK`).
  package var resetsOnFork: Bool

  package init(policy: Int, priority: Int, resetsOnFork: Bool) {
    self.policy = policy
    self.priority = priority
    self.resetsOnFork = resetsOnFork
  }

  /// That of a thread of which nobody has changed it.
  package static let standard = ThreadScheduler(policy: 0, priority: 0, resetsOnFork: false)

  /// `SCHED_FIFO` that a thread's children do not inherit.
  package static func fifo(priority: Int) -> ThreadScheduler {
    ThreadScheduler(policy: 1, priority: priority, resetsOnFork: true)
  }
}

/// What a unit is doing.
package enum Activity: String, Hashable, Sendable, CaseIterable {
  case active
  case inactive
  /// On its way to `active`.
  case starting
  /// On its way to `inactive`.
  case stopping
}

extension Value {
  /// What a passing value becomes if nobody interferes.
  package var atRest: Value {
    switch self {
    case .activity(.starting): .activity(.active)
    case .activity(.stopping): .activity(.inactive)
    default: self
    }
  }
}

extension ThreadScheduler: CustomStringConvertible {
  package var description: String {
    let names = [0: "other", 1: "fifo", 2: "rr", 3: "batch", 5: "idle", 6: "deadline"]
    let name = names[policy] ?? "policy \(policy)"
    return (priority == 0 ? name : "\(name) \(priority)") + (resetsOnFork ? " reset-on-fork" : "")
  }
}

extension DriverBinding: CustomStringConvertible {
  package var description: String {
    (driver ?? "(no driver)") + (override.map { $0 == driver ? "" : " (override \($0))" } ?? "")
  }
}

extension Value: CustomStringConvertible {
  package var description: String {
    switch self {
    case .text(let text): text.isEmpty ? "(empty)" : text
    case .cpus(let cpus): cpus.isEmpty ? "(none)" : cpus.description
    case .count(let count): count.description
    case .driver(let binding): binding.description
    case .functions(let functions):
      functions.isEmpty
        ? "(removed)"
        : functions.map { "\($0.address) on \($0.binding)" }.joined(separator: ", ")
    case .allowedCPUs(let allowed): allowed.cpus.isEmpty ? "(all)" : allowed.cpus.description
    case .scheduler(let scheduler): scheduler.description
    case .activity(let activity): activity.rawValue
    }
  }
}
