/// One line of the ledger's file, as words that are separated by single spaces.
///
/// Any text can be a word: bytes up to the space, `%`, DEL and all beyond ASCII are written as
/// `%` and two hexadecimal digits. `-` stands for “none” and a single `%` for the empty text.
struct WordWriter {
  private(set) var line: String

  init(_ keyword: String) { line = keyword }

  mutating func raw(_ word: String) { line += " " + word }

  mutating func none() { raw("-") }

  mutating func number(_ number: some BinaryInteger) { raw("\(number)") }

  mutating func text(_ text: String) { raw(Self.word(for: text)) }

  static func word(for text: String) -> String {
    if text.isEmpty { return "%" }
    if text == "-" { return "%2D" }
    if text.utf8.allSatisfy(isPlain) { return text }
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if isPlain(byte) { bytes.append(byte) } else { bytes += escaped(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether a byte stands for itself.
  fileprivate static func isPlain(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "%")
  }

  private static func escaped(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
}

/// Reads back what `WordWriter` wrote, and nothing else.
struct WordReader {
  private var words: ArraySlice<Substring>

  init(_ line: Substring) {
    words =
      line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map(Substring.init)[...]
  }

  var isAtEnd: Bool { words.isEmpty }

  mutating func raw() throws(FormatError) -> String {
    guard let word = words.popFirst(), !word.isEmpty else { throw FormatError("a word is missing") }
    return String(word)
  }

  /// Whether the next word says “none”; it is taken then.
  mutating func isNone() -> Bool {
    guard words.first == "-" else { return false }
    words.removeFirst()
    return true
  }

  mutating func number<Number: FixedWidthInteger>() throws(FormatError) -> Number {
    let word = try raw()
    guard let number = Number(word), "\(number)" == word else {
      throw FormatError("“\(word)” is not a number")
    }
    return number
  }

  mutating func text() throws(FormatError) -> String {
    let word = try raw()
    if word != "-", word.utf8.allSatisfy(WordWriter.isPlain) { return word }
    guard let text = Self.unescaped(word), WordWriter.word(for: text).utf8.elementsEqual(word.utf8)
    else { throw FormatError("“\(word)” is not how any text is written") }
    return text
  }

  private static func unescaped(_ word: String) -> String? {
    if word == "%" { return "" }
    var bytes: [UInt8] = []
    var rest = Array(word.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let escaped = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      rest = rest.dropFirst(2)
      bytes.append(escaped)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

/// Why a line is not what a `WordWriter` wrote.
struct FormatError: Error {
  var why: String

  init(_ why: String) { self.why = why }
}
