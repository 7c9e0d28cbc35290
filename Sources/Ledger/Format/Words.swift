/// The ledger's text while it is written: lines of words that are separated by single spaces.
///
/// Any text can be a word: bytes up to the space, `%`, DEL and all beyond ASCII are written as
/// `%` and two hexadecimal digits. `-` stands for “none” and a single `%` for the empty text.
struct WordWriter {
  private(set) var bytes: [UInt8] = []
  /// The lines that have ended.
  private(set) var lines = 0

  mutating func begin(_ keyword: String) { bytes.append(contentsOf: keyword.utf8) }

  mutating func end() {
    bytes.append(UInt8(ascii: "\n"))
    lines += 1
  }

  /// Goes on with what has been written before.
  mutating func copy(_ written: ArraySlice<UInt8>) { bytes.append(contentsOf: written) }

  mutating func raw(_ word: String) {
    bytes.append(space)
    bytes.append(contentsOf: word.utf8)
  }

  mutating func none() {
    bytes.append(space)
    bytes.append(UInt8(ascii: "-"))
  }

  mutating func number(_ number: some BinaryInteger) {
    bytes.append(space)
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    digits(UInt64(number.magnitude))
  }

  /// The digits of a number, without a space before them.
  mutating func digits(_ number: UInt64) {
    if number >= 10 { digits(number / 10) }
    bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  /// A byte as it is, within a word.
  mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  mutating func text(_ text: String) {
    bytes.append(space)
    if text.isEmpty { return bytes.append(percent) }
    if text == "-" { return escaped(UInt8(ascii: "-")) }
    for byte in text.utf8 {
      if isPlain(byte) { bytes.append(byte) } else { escaped(byte) }
    }
  }

  private mutating func escaped(_ byte: UInt8) {
    bytes.append(percent)
    bytes.append(digit(byte >> 4))
    bytes.append(digit(byte & 15))
  }

  private func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
  }
}

private let space = UInt8(ascii: " ")
private let percent = UInt8(ascii: "%")

/// Whether a byte stands for itself in a text.
private func isPlain(_ byte: UInt8) -> Bool { byte > space && byte < 0x7f && byte != percent }

/// Reads a line that `WordWriter` wrote, and nothing else.
struct WordReader {
  private let bytes: [UInt8]
  /// Where the next word begins; beyond `end` where none is left.
  private var position: Int
  private let end: Int

  /// - Parameter line: Where the line is in the bytes, without its newline.
  init(_ bytes: [UInt8], _ line: Range<Int>) {
    self.bytes = bytes
    position = line.lowerBound
    end = line.upperBound
  }

  var isAtEnd: Bool { position > end }

  /// Where the next word is; its bytes are looked at by `text` and its like.
  mutating func word() throws(FormatError) -> Range<Int> {
    guard position < end else { throw FormatError("a word is missing") }
    var next = position
    while next < end, bytes[next] != space { next += 1 }
    guard next > position else { throw FormatError("a word is missing") }
    defer { position = next + 1 }
    return position..<next
  }

  /// Where the next word begins; one beyond the end of the line where none is left.
  var offset: Int { position }

  /// Where the next word is, which is not taken.
  func peek() -> Range<Int>? {
    var reader = self
    return try? reader.word()
  }

  func bytes(_ word: Range<Int>) -> [UInt8] { Array(bytes[word]) }

  subscript(index: Int) -> UInt8 { bytes[index] }

  mutating func raw() throws(FormatError) -> String { string(try word()) }

  /// The bytes as they are, for a comparison or a message.
  func string(_ word: Range<Int>) -> String { String(decoding: bytes[word], as: UTF8.self) }

  /// Whether the next word says “none”; it is taken then.
  mutating func isNone() -> Bool {
    guard position < end, bytes[position] == UInt8(ascii: "-"),
      position + 1 == end || bytes[position + 1] == space
    else { return false }
    position += 2
    return true
  }

  mutating func number<Number: FixedWidthInteger>() throws(FormatError) -> Number {
    let word = try word()
    guard let number: Number = number(in: word) else {
      throw FormatError("“\(string(word))” is not a number")
    }
    return number
  }

  /// The number that is written so and in no other way: without a plus, or a zero at its beginning.
  func number<Number: FixedWidthInteger>(in word: Range<Int>) -> Number? {
    var rest = word
    let isNegative = rest.first.map { bytes[$0] } == UInt8(ascii: "-")
    if isNegative { rest = rest.dropFirst() }
    guard let first = rest.first else { return nil }
    if bytes[first] == UInt8(ascii: "0"), isNegative || rest.count > 1 { return nil }
    var number: Number = 0
    for index in rest {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let (tens, isTooLong) = number.multipliedReportingOverflow(by: 10)
      let (sum, isTooGreat) =
        isNegative
        ? tens.subtractingReportingOverflow(Number(digit))
        : tens.addingReportingOverflow(Number(digit))
      if isTooLong || isTooGreat { return nil }
      number = sum
    }
    return number
  }

  mutating func text() throws(FormatError) -> String {
    let word = try word()
    if isPlainText(word) { return string(word) }
    guard let text = unescaped(word) else {
      throw FormatError("“\(string(word))” is not how any text is written")
    }
    return text
  }

  private func isPlainText(_ word: Range<Int>) -> Bool {
    for index in word where !isPlain(bytes[index]) { return false }
    return word.count > 1 || bytes[word.lowerBound] != UInt8(ascii: "-")
  }

  /// The text of a word in which only those bytes are escaped that have to be.
  private func unescaped(_ word: Range<Int>) -> String? {
    if word.count == 1 { return bytes[word.lowerBound] == percent ? "" : nil }
    var text: [UInt8] = []
    text.reserveCapacity(word.count)
    var index = word.lowerBound
    while index < word.upperBound {
      if isPlain(bytes[index]) {
        text.append(bytes[index])
        index += 1
        continue
      }
      guard bytes[index] == percent, index + 2 < word.upperBound,
        let high = value(ofDigit: bytes[index + 1]), let low = value(ofDigit: bytes[index + 2])
      else { return nil }
      let byte = high << 4 | low
      // Of all bytes that stand for themselves, only that of the text “-” may be escaped.
      if isPlain(byte), byte != UInt8(ascii: "-") || word.count != 3 { return nil }
      text.append(byte)
      index += 3
    }
    return String(validating: text, as: UTF8.self)
  }

  private func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Why a line is not what a `WordWriter` wrote.
struct FormatError: Error {
  var why: String

  init(_ why: String) { self.why = why }
}
