/// The CPUs that an irqbalance keeps interrupts off.
struct BalancedOffSetting: SettingKind {
  let balancer: ProcessIdentity

  static var word: String { "balanced-off" }
  var traits: SettingTraits { SettingTraits(hasStaleReads: true) }
  /// It is the process's own, and goes with it.
  var kernelChanges: KernelChanges { .none }
  var collective: Collective? { .balancers }
  var name: String { "CPUs that irqbalance \(balancer.pid) leaves alone" }

  func write(to words: inout WordWriter) { words.process(balancer) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .balancedOff(try words.process())
  }
}
