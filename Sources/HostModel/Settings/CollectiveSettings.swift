/// Every interrupt of a function.
struct EveryInterruptSetting: SettingKind {
  let function: PCIAddress

  static var word: String { "every-interrupt" }
  /// Nothing stands there.
  var kernelChanges: KernelChanges { .none }
  var name: String { "interrupts of \(function)" }

  func write(to words: inout WordWriter) { words.address(function) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .every(.interrupts(of: try words.address()))
  }
}

/// Every irqbalance that runs, with the CPUs that it keeps interrupts off.
struct EveryBalancerSetting: SettingKind {
  static var word: String { "every-balancer" }
  /// Nothing stands there.
  var kernelChanges: KernelChanges { .none }
  var name: String { "CPUs that irqbalance leaves alone" }

  func write(to words: inout WordWriter) {}

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting { .every(.balancers) }
}

/// Every irqbalance that runs, with each interrupt of a function.
struct EveryBalancingSetting: SettingKind {
  let function: PCIAddress

  static var word: String { "every-balancing" }
  /// Nothing stands there.
  var kernelChanges: KernelChanges { .none }
  var name: String { "irqbalance for the interrupts of \(function)" }

  func write(to words: inout WordWriter) { words.address(function) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .every(.balancing(of: try words.address()))
  }
}

/// Settings that come and go while a VM holds claims: what it claims of all of them it claims of each.
package enum Collective: Hashable, Sendable {
  /// See `EveryInterruptSetting`.
  case interrupts(of: PCIAddress)
  /// See `EveryBalancerSetting`.
  case balancers
  /// See `EveryBalancingSetting`.
  case balancing(of: PCIAddress)

  /// Whether members come while nothing calls Berth, as with a guest that loads its drivers, so that
  /// somebody has to look for them.
  package var needsPolling: Bool {
    switch self {
    case .interrupts, .balancing: true
    case .balancers: false
    }
  }
}
