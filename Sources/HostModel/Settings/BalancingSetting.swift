/// Whether an irqbalance leaves an interrupt of a function that is passed to a VM alone.
struct BalancingSetting: SettingKind {
  let interrupt: PassedInterrupt
  let balancer: ProcessIdentity

  static var word: String { "balancing" }
  /// It is the process's own, and goes with it.
  var kernelChanges: KernelChanges { .none }
  var collective: Collective? { .balancing(of: interrupt.function) }
  var name: String { "irqbalance \(balancer.pid) for \(interrupt)" }

  func write(to words: inout WordWriter) {
    words.interrupt(interrupt)
    words.process(balancer)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .balancing(try words.interrupt(), by: try words.process())
  }
}
