internal import Bytes

/// The host's interrupts.
package struct InterruptsFacts: Hashable, Sendable {
  /// Those that somebody handles, ascending by their numbers.
  package var interrupts: [InterruptFacts] = []
  /// Where interrupts go that are still to come; nil where the kernel does not tell.
  package var standard: CPUList?
  /// Each irqbalance that runs, which moves interrupts as it sees fit.
  package var balancers: [BalancerFacts] = []

  package init() {}
}

/// An irqbalance with a socket.
package struct BalancerFacts: Hashable, Sendable {
  package var process: ProcessIdentity
  /// Whether it can be told which CPUs to leave alone.
  package var answers: Bool

  package init(process: ProcessIdentity, answers: Bool) {
    self.process = process
    self.answers = answers
  }
}

/// One interrupt that somebody handles.
package struct InterruptFacts: Hashable, Sendable {
  package var number: Int
  /// The names of its handlers: `nvme0q1`, `vfio-msix[0](0000:41:00.0)`.
  package var actions: [String]
  /// `smp_affinity_list`: where it may go, which is more than where it goes.
  package var cpus: CPUList
  /// Whether the kernel lets anybody move it, as far as it tells beforehand.
  package var isMovable = true

  package init(number: Int, actions: [String], cpus: CPUList) {
    self.number = number
    self.actions = actions
    self.cpus = cpus
  }

  /// The function that a VFIO driver handles the interrupt for; nil for any other interrupt.
  ///
  /// The names are `vfio-msix[V](ADDRESS)`, `vfio-msi[V](ADDRESS)` and `vfio-intx(ADDRESS)`
  /// (drivers/vfio/pci/vfio_pci_intrs.c).
  package var passedFunction: PCIAddress? {
    for action in actions where action.begins(with: "vfio-") && action.ends(with: ")") {
      guard let address = action.cutLast(at: "(")?.tail.droppingLast() else { continue }
      if let address = PCIAddress(address) { return address }
    }
    return nil
  }
}
