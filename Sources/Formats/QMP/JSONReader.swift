internal import Bytes

/// Reads one value of JSON from a text that nobody has to trust.
///
/// What it makes is bounded by `size`, its recursion by `depth`.
struct JSONReader {
  /// How deep arrays and objects may stand in each other; QEMU's answers need five.
  static let depth = 32
  /// How many values there may be, each of which takes up to hundreds of bytes: QEMU's answer on 4096 vCPUs
  /// has half as many.
  static let size = 131_072

  private let bytes: [UInt8]
  private var next = 0
  private var count = 0

  /// The value that is the whole text.
  static func value(of bytes: [UInt8]) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(within: depth)
    reader.skipBlanks()
    if reader.next < bytes.count { throw reader.error("something after the end of the value") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func error(_ sentence: String) -> JSONError {
    JSONError(offset: next, sentence: sentence)
  }

  private func peek() -> UInt8? { next < bytes.count ? bytes[next] : nil }

  private mutating func skipBlanks() {
    while let byte = peek(), [0x20, 0x09, 0x0a, 0x0d].contains(byte) { next += 1 }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: byte) else { return false }
    next += 1
    return true
  }

  private mutating func value(within depth: Int) throws(JSONError) -> JSONValue {
    count += 1
    if count > Self.size { throw error("more than \(Self.size) values") }
    skipBlanks()
    switch peek() {
    case UInt8(ascii: "{")?: return try object(within: depth)
    case UInt8(ascii: "[")?: return try array(within: depth)
    case UInt8(ascii: "\"")?: return .string(try string())
    case UInt8(ascii: "t")?: return try word("true", .bool(true))
    case UInt8(ascii: "f")?: return try word("false", .bool(false))
    case UInt8(ascii: "n")?: return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    let isThere = word.withUTF8Buffer { bytes[next...].starts(with: $0) }
    if !isThere { throw error("a word that is none of JSON's") }
    next += word.utf8CodeUnitCount
    return value
  }

  private mutating func object(within depth: Int) throws(JSONError) -> JSONValue {
    if depth == 0 { throw error("values within values, too deep") }
    next += 1
    var members: [String: JSONValue] = [:]
    skipBlanks()
    if take("}") { return .object(members) }
    repeat {
      skipBlanks()
      let key = try string()
      skipBlanks()
      if !take(":") { throw error("a name without “:” and a value") }
      let value = try value(within: depth - 1)
      if members.updateValue(value, forKey: key) != nil {
        throw error("two members of the name \(quoted(key))")
      }
      skipBlanks()
    } while take(",")
    if !take("}") { throw error("an object without its end") }
    return .object(members)
  }

  private mutating func array(within depth: Int) throws(JSONError) -> JSONValue {
    if depth == 0 { throw error("values within values, too deep") }
    next += 1
    var elements: [JSONValue] = []
    skipBlanks()
    if take("]") { return .array(elements) }
    repeat {
      elements.append(try value(within: depth - 1))
      skipBlanks()
    } while take(",")
    if !take("]") { throw error("an array without its end") }
    return .array(elements)
  }
}

extension JSONReader {
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = next
    _ = take("-")
    if !take("0") { try digits() }
    var isInteger = true
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("-") { _ = take("+") }
      try digits()
    }
    let text = String(decoding: bytes[start..<next], as: UTF8.self)
    return isInteger ? Int(text).map(JSONValue.integer) ?? .number : .number
  }

  private mutating func digits() throws(JSONError) {
    let start = next
    while let byte = peek(), byte.isDigit { next += 1 }
    if next == start { throw error("something that is no value") }
  }

  private mutating func string() throws(JSONError) -> String {
    if !take("\"") { throw error("something that is no text") }
    let start = next
    var text: [UInt8] = []
    while let byte = peek() {
      next += 1
      switch byte {
      case UInt8(ascii: "\""):
        if let text = String(validating: text, as: UTF8.self) { return text }
        next = start
        throw error("a text that is not UTF-8")
      case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
      case 0..<0x20: throw error("a control character within a text")
      default: text.append(byte)
      }
    }
    throw error("a text without its end")
  }

  /// What stands after a backslash.
  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    let plain: [UInt8: Unicode.Scalar] = [
      UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
      UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n",
      UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
    if let byte = peek(), let scalar = plain[byte] {
      next += 1
      return scalar
    }
    let high = try codeUnit()
    if let scalar = Unicode.Scalar(high) { return scalar }
    // The second half of a pair is written as an escape of its own.
    guard (0xd800..<0xdc00).contains(high), take("\\") else { throw error("half a character") }
    let low = try codeUnit()
    guard (0xdc00..<0xe000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    else { throw error("half a character") }
    return scalar
  }

  /// The code unit of UTF-16 in an escape such as `u00e9`.
  private mutating func codeUnit() throws(JSONError) -> UInt32 {
    guard take("u"), bytes.count - next >= 4 else {
      throw error("an escape that is none of JSON's")
    }
    var unit: UInt32 = 0
    for byte in bytes[next..<next + 4] {
      guard let digit = byte.hexDigitValue else {
        throw error("an escape that is none of JSON's")
      }
      unit = unit << 4 | UInt32(digit)
    }
    next += 4
    return unit
  }
}
