extension Policy {
  /// What becomes of the host's interrupts while a domain is in.
  package struct Interrupts: Hashable, Sendable {
    /// When interrupts are moved off the CPUs of a domain's vCPUs.
    package enum Move: String, Hashable, Sendable, CaseIterable {
      /// Where the domain is isolated, and every irqbalance can be told to keep them there.
      case auto
      /// Where any vCPU is pinned.
      case always
      case never
    }

    package var move = Move.auto
    /// Where the interrupts of the domain's own functions go; nil leaves them alone.
    package var deviceCPUs: CPUList?

    package init() {}
  }
}
