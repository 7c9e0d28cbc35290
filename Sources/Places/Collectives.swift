internal import Facts
internal import HostModel
internal import Port

/// A collective by itself: no place at all.
struct CollectivePlace: Place {
  let collective: Collective

  func read(until deadline: Deadline) throws(HostError) -> Value {
    throw HostError(.read, "\(Setting.every(collective))", errno: ErrorNumber.notFound.number)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    throw unsupported(value, at: "\(Setting.every(collective))")
  }
}

/// What collectives stand for on a host.
struct MemberReader {
  let kernel: any Kernel

  func members(of collective: Collective) throws(HostError) -> [Setting] {
    switch collective {
    case .interrupts(let function): return try interrupts(of: function).map { .interrupt($0) }
    case .balancers:
      return try Balancer.running(on: kernel).map { .balancedOff($0.process) }
    case .balancing(let function):
      let balancers = try Balancer.running(on: kernel)
      guard !balancers.isEmpty else { return [] }
      return try interrupts(of: function).flatMap { interrupt in
        balancers.map { .balancing(interrupt, by: $0.process) }
      }
    }
  }

  private func interrupts(of function: PCIAddress) throws(HostError) -> [PassedInterrupt] {
    try FactReader(kernel: kernel).handledInterrupts().filter { $0.passedFunction == function }
      .map { PassedInterrupt(number: $0.number, function: function) }
  }
}
