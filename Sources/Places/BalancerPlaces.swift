internal import Facts
internal import HostModel
internal import Port

/// The CPUs that an irqbalance keeps interrupts off.
///
/// It goes by what it was told from its next look at the host on, within ten seconds, and shows it
/// only then. What was told ends with the process.
struct BalancedOffPlace: Place {
  let kernel: any Kernel
  let process: ProcessIdentity

  private var balancer: Balancer { Balancer(kernel: kernel, process: process) }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    .cpus(try balancer.setup().bannedCPUs)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .cpus(let cpus) = value else { throw unsupported(value, at: "irqbalance") }
    try balancer.ban(cpus, by: kernel)
  }
}

/// Whether an irqbalance leaves one interrupt alone: `left alone` or `balanced`.
///
/// It is told all of them at once, so that each write keeps the others that it was told by anybody.
struct BalancingPlace: Place {
  let kernel: any Kernel
  let interrupt: PassedInterrupt
  let process: ProcessIdentity

  private var balancer: Balancer { Balancer(kernel: kernel, process: process) }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    let isBanned = try balancer.setup().bannedInterrupts.contains(interrupt.number)
    return isBanned ? .leftAlone : .balanced
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard value == .leftAlone || value == .balanced else {
      throw unsupported(value, at: "irqbalance")
    }
    var interrupts = try balancer.setup().bannedInterrupts.filter { $0 != interrupt.number }
    if value == .leftAlone { interrupts.append(interrupt.number) }
    try balancer.ban(interrupts: interrupts, by: kernel)
  }
}
