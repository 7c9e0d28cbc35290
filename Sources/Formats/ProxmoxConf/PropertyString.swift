internal import Bytes
internal import HostModel

/// A value of several parts: `0000:01:00,pcie=1`.
///
/// Parts are parted by commas, and one without `=` is the value of the format's default key
/// (`parse_property_string()` in src/PVE/JSONSchema.pm).
struct PropertyString {
  private var values: [String: String] = [:]

  /// Reads the parts.
  ///
  /// - Throws: Where a key is there twice, where it or its value is missing, and for a part without
  ///   a key where the format has no default one.
  init(
    _ text: String, default defaultKey: String? = nil, aliases: [String: String] = [:]
  ) throws(ProxmoxValueError) {
    for part in text.fields(at: ",") where !part.trimmed.isEmpty {
      let pair = part.cut(at: "=")
      let key = pair.map { String($0.head) } ?? defaultKey
      let value = String(pair?.tail ?? part)
      guard let key, !key.isEmpty, !value.isEmpty else {
        throw ProxmoxValueError("a list such as key=value,key=value")
      }
      if values.updateValue(value, forKey: aliases[key] ?? key) != nil {
        throw ProxmoxValueError("a list that names each key once (\(key))")
      }
    }
  }

  subscript(key: String) -> String? { values[key] }

  /// Whether a key says yes; nil where it is missing.
  func flag(_ key: String) throws(ProxmoxValueError) -> Bool? {
    guard let value = values[key] else { return nil }
    return try ProxmoxValue.flag(value)
  }
}

/// Values of one part, as Proxmox reads them (`check_type()` in src/PVE/QemuServer.pm).
enum ProxmoxValue {
  static func flag(_ value: String) throws(ProxmoxValueError) -> Bool {
    switch value.lowercasedASCII {
    case "1", "on", "yes", "true": return true
    case "0", "off", "no", "false": return false
    default: throw ProxmoxValueError("1 or 0")
    }
  }

  /// A number of decimal digits up to a limit: what Proxmox would choke on is no number.
  static func number(_ value: String, upTo limit: Int) throws(ProxmoxValueError) -> Int {
    guard let number = value.utf8.decimal, number <= limit else {
      throw ProxmoxValueError("a number up to \(limit)")
    }
    return number
  }

  /// A text without the quotes around it.
  static func text(_ value: String) -> String {
    guard value.utf8.count > 1, value.begins(with: "\""), value.ends(with: "\"") else {
      return value
    }
    return String(value.droppingFirst().droppingLast())
  }
}
