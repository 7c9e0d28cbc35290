/// A kind of setting: all that Berth knows of it but how it is read and written, which is its place's.
///
/// A kind names only what is special about it.
protocol SettingKind: Sendable {
  /// What a setting of this kind begins with in the ledger's text; no two kinds have the same.
  static var word: String { get }
  /// What the engine has to heed.
  var traits: SettingTraits { get }
  /// Which values are nobody's decision, as the kernel itself puts them there; every kind says so.
  var kernelChanges: KernelChanges { get }
  /// What the setting is one of; nil for one that is claimed by itself.
  var collective: Collective? { get }
  /// The PCI function of whose configuration the setting is a part, and with which it leaves the bus.
  var configuredFunction: PCIAddress? { get }
  /// Whether a change of the setting takes away what another one is about.
  func removes(_ other: Setting) -> Bool

  /// The setting for messages.
  var name: String { get }
  /// The setting for tables: short, and as far as it is known in a plan.
  var title: String { get }
  /// What many of these are counted as; nil for one that has a line of its own in each table.
  var family: SettingFamily? { get }
  /// The sentence that counts all those of which somebody else has changed the value; nil where each
  /// is reported by itself.
  var driftSummary: String? { get }
  /// What the kernel has done where it has changed the setting, as a sentence without its end.
  var kernelChangeSentence: String { get }

  /// What is to be said where the setting has gone with what it is about; nil where that happens each day.
  var goneSentence: String? { get }

  /// What follows `lock.` in the name of the file that is locked while a slow setting changes; those
  /// that have the same wait for each other.
  var lockName: String { get }
  /// Writes which one of its kind the setting is.
  func write(to words: inout WordWriter)
  /// Reads what `write(to:)` wrote.
  static func read(_ words: inout WordReader) throws(FormatError) -> Setting
}

extension SettingKind {
  var traits: SettingTraits { SettingTraits() }
  var collective: Collective? { nil }
  var configuredFunction: PCIAddress? { nil }
  func removes(_ other: Setting) -> Bool { false }
  var title: String { name }
  var family: SettingFamily? { nil }
  var driftSummary: String? { nil }
  var kernelChangeSentence: String {
    switch kernelChanges {
    case .invalidation:
      "the kernel has switched the isolation off, as it does when a CPU goes offline"
    case .brokenMask, .initial:
      "the kernel has sent the interrupt elsewhere, as it does when its CPUs go offline"
    case .moreCPUs: "the kernel has given the thread other CPUs, as it does when its own go offline"
    case .none, .original, .any: "the kernel has changed it"
    }
  }
  var goneSentence: String? { nil }
  var lockName: String { "slow" }
}
