internal import Bytes

/// A file of sysfs, procfs or cgroupfs that holds one value.
struct AttributeSetting: SettingKind {
  let path: String
  let format: AttributeFormat

  static var word: String { "attribute" }
  var name: String { path }

  /// A file of a cgroup goes by its own name and that of the group.
  var title: String {
    guard path.begins(with: "/sys/fs/cgroup/") else { return path }
    let parts = path.fields(at: "/").suffix(2)
    return "\(parts.last ?? "") of \(parts.first ?? "")"
  }

  var driftSummary: String? {
    guard format == .cpuList, path.begins(with: "/proc/irq/") else { return nil }
    return InterruptSetting.driftSummary
  }

  func write(to words: inout WordWriter) {
    words.raw(format.rawValue)
    words.text(path)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    let format: AttributeFormat = try words.keyword(else: "no format of an attribute")
    return .attribute(path: try words.text(), format)
  }
}

/// How the text of an attribute is to be understood.
package enum AttributeFormat: String, Hashable, Sendable {
  /// Compared as text without white space at its ends.
  case text
  /// A cpulist: `0-3,8`.
  case cpuList = "cpulist"
  /// A hexadecimal mask: `ff`.
  case cpuMask = "cpumask"
  /// One of several words, the chosen one in brackets: `always [madvise] never`.
  case selection
}
