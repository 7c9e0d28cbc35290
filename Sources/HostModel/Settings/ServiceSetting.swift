/// Whether a unit of the host is active.
struct ServiceSetting: SettingKind {
  /// The name that systemd itself gives it.
  let unit: String

  static var word: String { "service" }
  var traits: SettingTraits { SettingTraits(isSlow: true, isSwitch: true) }
  /// Only systemd starts and stops it, for whoever asks.
  var kernelChanges: KernelChanges { .none }
  var name: String { unit }
  var lockName: String { Self.lockName(of: unit) }

  /// As much of a unit's name as goes into a file's; two that share it wait for each other.
  static func lockName(of unit: String) -> String {
    let slash = UInt8(ascii: "/")
    let bytes = unit.utf8.prefix(200).map { $0 == slash ? UInt8(ascii: "-") : $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  func write(to words: inout WordWriter) { words.text(unit) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .service(unit: try words.text())
  }
}
