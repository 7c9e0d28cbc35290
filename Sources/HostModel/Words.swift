/// One line of the ledger's file, as words that are separated by single spaces.
///
/// Any text can be a word: bytes up to the space, `%`, DEL and all beyond ASCII are written as
/// `%` and two hexadecimal digits. `-` stands for “none” and a single `%` for the empty text.
package struct WordWriter {
  package private(set) var line: String

  package init(_ keyword: String) { line = keyword }

  package mutating func raw(_ word: String) { line += " " + word }

  package mutating func none() { raw("-") }

  package mutating func number(_ number: some BinaryInteger) { raw("\(number)") }

  package mutating func text(_ text: String) { raw(Self.word(for: text)) }

  package mutating func optional(_ text: String?) {
    if let text { self.text(text) } else { none() }
  }

  package mutating func texts(_ texts: [String]) {
    number(texts.count)
    for text in texts { self.text(text) }
  }

  package mutating func address(_ address: PCIAddress) { raw("\(address)") }

  package mutating func process(_ process: ProcessIdentity) {
    number(process.pid)
    number(process.startTime)
  }

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
package struct WordReader {
  private var words: ArraySlice<Substring>

  package init(_ line: Substring) {
    words =
      line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map(Substring.init)[...]
  }

  package var isAtEnd: Bool { words.isEmpty }

  package mutating func raw() throws(FormatError) -> String {
    guard let word = words.popFirst(), !word.isEmpty else { throw FormatError("a word is missing") }
    return String(word)
  }

  /// Whether the next word says “none”; it is taken then.
  package mutating func isNone() -> Bool {
    guard words.first == "-" else { return false }
    words.removeFirst()
    return true
  }

  package mutating func number<Number: FixedWidthInteger>() throws(FormatError) -> Number {
    let word = try raw()
    guard let number = Number(word), "\(number)" == word else {
      throw FormatError("“\(word)” is not a number")
    }
    return number
  }

  package mutating func text() throws(FormatError) -> String {
    let word = try raw()
    if word != "-", word.utf8.allSatisfy(WordWriter.isPlain) { return word }
    guard let text = Self.unescaped(word), WordWriter.word(for: text).utf8.elementsEqual(word.utf8)
    else { throw FormatError("“\(word)” is not how any text is written") }
    return text
  }

  package mutating func optional() throws(FormatError) -> String? {
    isNone() ? nil : try text()
  }

  package mutating func texts() throws(FormatError) -> [String] {
    var texts: [String] = []
    for _ in 0..<(try count()) { texts.append(try text()) }
    return texts
  }

  /// How many words or groups of words follow.
  package mutating func count() throws(FormatError) -> Int {
    let count: Int = try number()
    guard count >= 0 else { throw FormatError("\(count) is no number of words") }
    return count
  }

  /// One of the words that an enumeration has; any other word is what the complaint says, such as
  /// `no format of an attribute`.
  package mutating func keyword<Keyword: RawRepresentable<String>>(
    else complaint: String
  ) throws(FormatError) -> Keyword {
    let word = try raw()
    guard let keyword = Keyword(rawValue: word) else {
      throw FormatError("“\(word)” is \(complaint)")
    }
    return keyword
  }

  package mutating func address() throws(FormatError) -> PCIAddress {
    let text = try raw()
    guard let address = PCIAddress(text), "\(address)" == text else {
      throw FormatError("“\(text)” is no PCI address")
    }
    return address
  }

  package mutating func process() throws(FormatError) -> ProcessIdentity {
    ProcessIdentity(pid: try number(), startTime: try number())
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
package struct FormatError: Error {
  package var why: String

  package init(_ why: String) { self.why = why }
}
