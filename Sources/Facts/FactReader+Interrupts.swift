internal import Bytes
package import HostModel
internal import Port

extension FactReader {
  private static let interrupts: HostPath = "/proc/irq"

  /// The interrupts that somebody handles, and who else moves them.
  ///
  /// An interrupt nobody handles does not fire. The handlers are folders below the interrupt's own:
  /// `/proc/interrupts` has them, too, in a table that grows with CPUs times interrupts.
  func interrupts() throws(HostError) -> InterruptsFacts {
    var facts = InterruptsFacts()
    facts.interrupts = try handledInterrupts()
    let standard = try kernel.wordIfPresent(of: "\(Self.interrupts)/default_smp_affinity")
    facts.standard = standard.flatMap { try? CPUList(parsingMask: $0) }
    facts.balancers = try balancers()
    return facts
  }

  /// Each irqbalance that runs, and whether it can be told anything.
  package func balancers() throws(HostError) -> [BalancerFacts] {
    var found: [BalancerFacts] = []
    for balancer in try Balancer.running(on: kernel) {
      guard let answers = try balancer.answers() else { continue }
      found.append(BalancerFacts(process: balancer.process, answers: answers))
    }
    return found
  }

  /// Those that somebody handles, ascending by their numbers.
  package func handledInterrupts() throws(HostError) -> [InterruptFacts] {
    let entries = try kernel.entriesIfPresent(of: Self.interrupts)
    var found: [InterruptFacts] = []
    for number in entries.compactMap({ Quantity.integer.number($0) }).sorted() {
      let facts = processes.skippingFailure { () throws(HostError) in
        try handledInterrupt(number)
      }
      if let facts { found.append(facts) }
    }
    return found
  }

  /// One of them; nil where nobody handles it, or it is gone.
  package func handledInterrupt(_ number: Int) throws(HostError) -> InterruptFacts? {
    try kernel.ifPresent { () throws(HostError) in try interrupt(number) } ?? nil
  }

  private func interrupt(_ number: Int) throws(HostError) -> InterruptFacts? {
    let directory: HostPath = "\(Self.interrupts)/\(number)"
    let files = [
      "smp_affinity", "smp_affinity_list", "effective_affinity", "effective_affinity_list",
      "affinity_hint", "node", "spurious",
    ]
    let actions = try kernel.entries(of: directory).filter { !files.contains($0) }
    if actions.isEmpty { return nil }
    let list: HostPath = "\(directory)/smp_affinity_list"
    var facts = InterruptFacts(
      number: number, actions: actions, cpus: try kernel.list(of: list))
    facts.isMovable = kernel.isWritable(list)
    return facts
  }
}
