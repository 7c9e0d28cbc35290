internal import Bytes

/// Puts other names in the place of those that tell one machine from all others: the same one for
/// each, so that what belonged together still does.
struct Disguise {
  private var replacements: [String: String] = [:]
  private var counts: [Kind: Int] = [:]

  private enum Kind {
    case mac
    case uuid
  }

  /// The text with made-up addresses for its MAC addresses: those between colons, and those in the
  /// names of interfaces (`enx0011…`).
  mutating func withoutMACs(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == Self.colon || $0 == Self.x }) else { return text }
    return replaced(text, .mac) { bytes, start in
      Self.isMAC(bytes, at: start) ? 17 : nil
    }.flatMapInterfaces { name in replacement(of: name, .mac, separator: "") }
  }

  /// The text with made-up UUIDs, as of disks and file systems.
  mutating func withoutUUIDs(_ text: String) -> String {
    replaced(text, .uuid) { bytes, start in Self.isUUID(bytes, at: start) ? 36 : nil }
  }

  private mutating func replaced(
    _ text: String, _ kind: Kind, _ length: (_ bytes: [UInt8], _ start: Int) -> Int?
  ) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    var isChanged = false
    while index < bytes.count {
      guard index == 0 || !Self.isPart(bytes[index - 1]), let length = length(bytes, index) else {
        result.append(bytes[index])
        index += 1
        continue
      }
      let name = String(decoding: bytes[index..<index + length], as: UTF8.self)
      result += Array(replacement(of: name, kind, separator: ":").utf8)
      index += length
      isChanged = true
    }
    return isChanged ? String(decoding: result, as: UTF8.self) : text
  }

  private mutating func replacement(of name: String, _ kind: Kind, separator: String) -> String {
    let key = name.lowercasedASCII.replaced(":", by: "")
    // Nobody's address, and everybody's.
    if kind == .mac, ["000000000000", "ffffffffffff"].contains(key) { return name }
    let known = replacements[key]
    if known == nil { counts[kind, default: 0] += 1 }
    let digits = known ?? Self.hexadecimal(counts[kind] ?? 0, kind == .mac ? 10 : 12)
    replacements[key] = digits
    guard kind == .mac else { return "00000000-0000-0000-0000-\(digits)" }
    // An address that somebody gave by himself (IEEE 802, bit 1 of the first byte).
    let all = Array(("02" + digits).utf8)
    return stride(from: 0, to: 12, by: 2).map { String(decoding: all[$0..<$0 + 2], as: UTF8.self) }
      .joined(separator: separator)
  }
}

extension Disguise {
  private static let colon = UInt8(ascii: ":")
  private static let x = UInt8(ascii: "x")

  fileprivate static func isHexadecimal(_ byte: UInt8) -> Bool {
    byte.hexDigitValue != nil
  }

  /// Whether a byte before or behind belongs to the same name.
  private static func isPart(_ byte: UInt8) -> Bool { isHexadecimal(byte) || byte == colon }

  private static func isMAC(_ bytes: [UInt8], at start: Int) -> Bool {
    guard start + 17 <= bytes.count, start + 2 < bytes.count, bytes[start + 2] == colon,
      start + 17 == bytes.count || !isPart(bytes[start + 17])
    else { return false }
    return (0..<17).allSatisfy { offset in
      let byte = bytes[start + offset]
      return offset % 3 == 2 ? byte == colon : isHexadecimal(byte)
    }
  }

  private static func isUUID(_ bytes: [UInt8], at start: Int) -> Bool {
    guard start + 36 <= bytes.count, bytes[start + 8] == UInt8(ascii: "-"),
      start + 36 == bytes.count || !isHexadecimal(bytes[start + 36])
    else { return false }
    return (0..<36).allSatisfy { offset in
      let byte = bytes[start + offset]
      return [8, 13, 18, 23].contains(offset)
        ? byte == UInt8(ascii: "-") : isHexadecimal(byte)
    }
  }

  private static func hexadecimal(_ number: Int, _ width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

extension String {
  /// The text with other digits in the names of interfaces that are made of a MAC address
  /// (systemd.net-naming-scheme(7)).
  fileprivate func flatMapInterfaces(_ replace: (String) -> String) -> String {
    var result = self
    for prefix in ["enx", "wlx", "wwx", "slx", "ibx"] where result.has(text: prefix) {
      result = result.replacingDigits(behind: prefix, replace)
    }
    return result
  }

  private func replacingDigits(behind prefix: String, _ replace: (String) -> String) -> String {
    var result: [UInt8] = []
    var rest = Array(utf8)[...]
    while let byte = rest.first {
      guard rest.starts(with: prefix.utf8) else {
        result.append(byte)
        rest = rest.dropFirst()
        continue
      }
      result += prefix.utf8
      rest = rest.dropFirst(prefix.utf8.count)
      let digits = rest.prefix(while: Disguise.isHexadecimal)
      guard digits.count == 12 else { continue }
      result += replace(String(decoding: digits, as: UTF8.self)).utf8
      rest = rest.dropFirst(12)
    }
    return String(decoding: result, as: UTF8.self)
  }
}
