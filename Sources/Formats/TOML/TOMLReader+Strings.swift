internal import Bytes

/// Strings.
extension TOMLReader {
  /// Reads a string of any kind, as UTF-8; no key is one of several lines.
  mutating func string(isKey: Bool = false) throws(TOMLError) -> [UInt8] {
    let start = place
    let fence: StaticString = isNext("'") ? "'''" : "\"\"\""
    let quote = fence.utf8Start.pointee
    let isLong = !isKey && take(fence)
    if !isLong { next += 1 }
    if isLong { _ = takeNewline() }
    var text: [UInt8] = []
    while let byte = peek() {
      switch byte {
      case quote:
        if takeEnd(quote, isLong, &text) { return text }
      case UInt8(ascii: "\\") where quote == UInt8(ascii: "\""):
        try escape(into: &text, isLong)
      case UInt8(ascii: "\t"), 0x20...0x7e:
        text.append(byte)
        next += 1
      case 0x80...:
        let scalar = next
        try skipScalar()
        text += bytes[scalar..<next]
      default:
        guard isLong, takeNewline() else { throw unfit(start) }
        text.append(UInt8(ascii: "\n"))
      }
    }
    throw unfit(start)
  }

  /// Takes the quotes that stand here; false where they are part of the string.
  private mutating func takeEnd(_ quote: UInt8, _ isLong: Bool, _ text: inout [UInt8]) -> Bool {
    // Up to two quotes may stand before the three that close a string of several lines.
    let count = isLong ? bytes[next...].prefix(5).prefix { $0 == quote }.count : 1
    next += count
    if !isLong { return true }
    text += repeatElement(quote, count: count < 3 ? count : count - 3)
    return count >= 3
  }

  /// The error for a byte that no string has as it is.
  private func unfit(_ start: TOMLPlace) -> TOMLError {
    guard peek() == nil || isNext("\n") || isNext("\r\n") else {
      return error("\(found) in a string")
    }
    return TOMLError(place: start, sentence: "a string without its closing quote, up to \(found)")
  }

  private mutating func escape(into text: inout [UInt8], _ isLong: Bool) throws(TOMLError) {
    let start = place
    next += 1
    if isLong, takeLineEnd() { return }
    switch peek() {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += bytes[next...next]
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "u"): return try scalar(into: &text, digits: 4, from: start)
    case UInt8(ascii: "U"): return try scalar(into: &text, digits: 8, from: start)
    default: throw expected("an escape such as “\\n” or “\\\\” after the backslash")
    }
    next += 1
  }

  /// Takes white space with a newline in it, which a backslash before it keeps out of a string.
  private mutating func takeLineEnd() -> Bool {
    let start = next
    skipSpaces()
    guard takeNewline() else {
      next = start
      return false
    }
    repeat { skipSpaces() } while takeNewline()
    return true
  }

  /// Reads the number of a scalar, as in `\u00e9`.
  private mutating func scalar(
    into text: inout [UInt8], digits count: Int, from start: TOMLPlace
  ) throws(TOMLError) {
    next += 1
    var number: UInt32 = 0
    for _ in 0..<count {
      guard let digit = peek()?.hexDigitValue else {
        throw expected("\(count) hexadecimal digits after “\\\(count == 4 ? "u" : "U")”")
      }
      number = number << 4 | UInt32(digit)
      next += 1
    }
    guard let scalar = Unicode.Scalar(number) else {
      let digits = String(number, radix: 16, uppercase: true)
      throw TOMLError(place: start, sentence: "an escape for U+\(digits), which is no character")
    }
    text += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
  }
}
