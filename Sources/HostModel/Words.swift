internal import Bytes

/// The ledger's text while it is written: lines of words that are separated by single spaces.
///
/// Any text can be a word: bytes up to the space, `%`, DEL and all beyond ASCII are written as
/// `%` and two hexadecimal digits. `-` stands for “none” and a single `%` for the empty text.
@usableFromInline
package struct WordWriter {
  package private(set) var bytes: [UInt8] = []
  /// The lines that have ended.
  package private(set) var lines = 0

  package init() {}

  package mutating func begin(_ keyword: String) { bytes.append(contentsOf: keyword.utf8) }

  package mutating func end() {
    bytes.append(UInt8(ascii: "\n"))
    lines += 1
  }

  /// Goes on with what has been written before.
  package mutating func copy(_ written: ArraySlice<UInt8>) { bytes.append(contentsOf: written) }

  package mutating func raw(_ word: String) {
    bytes.append(space)
    bytes.append(contentsOf: word.utf8)
  }

  package mutating func none() {
    bytes.append(space)
    bytes.append(UInt8(ascii: "-"))
  }

  @inlinable
  package mutating func number(_ number: some BinaryInteger) {
    byte(UInt8(ascii: " "))
    if number < 0 { byte(UInt8(ascii: "-")) }
    digits(UInt64(number.magnitude))
  }

  /// The digits of a number, without a space before them.
  @usableFromInline
  package mutating func digits(_ number: UInt64) {
    if number >= 10 { digits(number / 10) }
    bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  /// A number in as many hexadecimal digits as it takes, and at least so many, without a space
  /// before them.
  mutating func hexadecimal(_ number: Int, width: Int) {
    if number >= 16 || width > 1 { hexadecimal(number >> 4, width: width - 1) }
    let digit = UInt8(number & 15)
    bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
  }

  /// A byte as it is, within a word.
  @usableFromInline
  package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  package mutating func text(_ text: String) {
    bytes.append(space)
    if text.isEmpty { return bytes.append(percent) }
    if text == "-" { return escaped(UInt8(ascii: "-")) }
    for byte in text.utf8 {
      if isPlain(byte) { bytes.append(byte) } else { escaped(byte) }
    }
  }

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

  /// The kernel's normal form, as `CPUList.description` gives it.
  package mutating func cpus(_ cpus: CPUList) {
    if cpus.isEmpty { return text("") }
    raw("")
    var first: Int?
    var last = 0
    for cpu in cpus {
      if let begin = first, cpu > last + 1 {
        run(begin...last)
        byte(UInt8(ascii: ","))
        first = cpu
      }
      if first == nil { first = cpu }
      last = cpu
    }
    if let first { run(first...last) }
  }

  /// A number, or two with a hyphen in between, without a space before them.
  package mutating func run(_ run: ClosedRange<Int>) {
    digits(UInt64(run.lowerBound))
    if run.count == 1 { return }
    byte(UInt8(ascii: "-"))
    digits(UInt64(run.upperBound))
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
@usableFromInline
package struct WordReader {
  private let bytes: [UInt8]
  /// Where the next word begins; beyond `end` where none is left.
  private var position: Int
  private let end: Int

  /// - Parameters:
  ///   - bytes: The text.
  ///   - line: Where the line is in it, without its newline.
  package init(_ bytes: [UInt8], _ line: Range<Int>) {
    self.bytes = bytes
    position = line.lowerBound
    end = line.upperBound
  }

  package var isAtEnd: Bool { position > end }

  /// Where the next word is; its bytes are looked at by `text` and its like.
  @usableFromInline
  package mutating func word() throws(FormatError) -> Range<Int> {
    guard position < end else { throw FormatError("a word is missing") }
    let next = min(bytes.span.firstIndex(of: space, from: position) ?? end, end)
    guard next > position else { throw FormatError("a word is missing") }
    defer { position = next + 1 }
    return position..<next
  }

  /// Where the next word begins; one beyond the end of the line where none is left.
  package var offset: Int { position }

  /// Where the next word is, which is not taken.
  package func peek() -> Range<Int>? {
    var reader = self
    return try? reader.word()
  }

  package func bytes(_ word: Range<Int>) -> ArraySlice<UInt8> { bytes[word] }

  @usableFromInline
  package subscript(index: Int) -> UInt8 { bytes[index] }

  @usableFromInline
  package mutating func raw() throws(FormatError) -> String { string(try word()) }

  /// All that is left of the line but its last words.
  package func rest(before words: Int) -> ArraySlice<UInt8> {
    var end = end
    for _ in 0..<words {
      while end > position, bytes[end - 1] != space { end -= 1 }
      end = max(position, end - 1)
    }
    return bytes[position..<end]
  }

  /// Passes over words that have been read before.
  package mutating func skip(_ words: ArraySlice<UInt8>) { position += words.count + 1 }

  /// The bytes as they are, for a comparison or a message.
  @usableFromInline
  package func string(_ word: Range<Int>) -> String { bytes.span.text(in: word) }

  /// The next word, to be compared with those that can stand there.
  package mutating func choice() throws(FormatError) -> Choice {
    Choice(bytes: bytes[try word()])
  }

  /// A word that is one of several, which `switch` tells apart without making texts.
  @usableFromInline
  package struct Choice: CustomStringConvertible {
    @usableFromInline let bytes: ArraySlice<UInt8>

    @inlinable
    package static func ~= (word: String, choice: Choice) -> Bool {
      choice.bytes.count == word.utf8.count && choice.isText(word)
    }

    @usableFromInline
    func isText(_ word: String) -> Bool { bytes.span.isText(word) }

    /// What follows a beginning; nil for a word that begins otherwise.
    func rest(after prefix: String) -> Range<Int>? {
      guard bytes.span.begins(with: prefix.utf8.span) else { return nil }
      return bytes.startIndex + prefix.utf8.count..<bytes.endIndex
    }

    @usableFromInline
    package var description: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// Whether the next word says “none”; it is taken then.
  package mutating func isNone() -> Bool {
    guard position < end, bytes[position] == UInt8(ascii: "-"),
      position + 1 == end || bytes[position + 1] == space
    else { return false }
    position += 2
    return true
  }

  @inlinable
  package mutating func number<Number: FixedWidthInteger>() throws(FormatError) -> Number {
    let word = try word()
    guard let number: Number = number(in: word) else {
      throw FormatError("“\(string(word))” is not a number")
    }
    return number
  }

  /// The number, which has to be one that there can be.
  package mutating func number(as quantity: Quantity) throws(FormatError) -> Int {
    let number: Int = try number()
    guard quantity.range.contains(number) else {
      throw FormatError("\(number) is more than there can be")
    }
    return number
  }

  /// The number that is written so and in no other way: without a plus, or a zero at its beginning.
  @inlinable
  package func number<Number: FixedWidthInteger>(in word: Range<Int>) -> Number? {
    if let number = digits(in: word) { return Number(exactly: number) }
    guard word.count > 1, self[word.lowerBound] == UInt8(ascii: "-"),
      let number = digits(in: word.dropFirst()), number > 0
    else { return nil }
    return Number(exactly: -Int128(number))
  }

  /// The number that digits alone make up, of which the first is no zero unless it is the only one.
  @usableFromInline
  package func digits(in word: Range<Int>) -> UInt64? {
    guard !word.isEmpty, word.count == 1 || bytes[word.lowerBound] != UInt8(ascii: "0") else {
      return nil
    }
    var number: UInt64 = 0
    for index in word {
      guard let longer = number.appending(digit: bytes[index]) else { return nil }
      number = longer
    }
    return number
  }

  package mutating func text() throws(FormatError) -> String {
    let word = try word()
    if isPlainText(word) { return string(word) }
    guard let text = unescaped(word) else {
      throw FormatError("“\(string(word))” is not how any text is written")
    }
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

  /// How many of something follow.
  package mutating func count(of things: String = "words") throws(FormatError) -> Int {
    let count: Int = try number()
    guard count >= 0 else { throw FormatError("\(count) is no number of \(things)") }
    return count
  }

  /// One of the words that an enumeration has; any other word is what the complaint says, such as
  /// `no format of an attribute`.
  @inlinable
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
    let word = try choice()
    guard let address = PCIAddress(word.bytes.span), address.description ~= word else {
      throw FormatError("“\(word)” is no PCI address")
    }
    return address
  }

  package mutating func process() throws(FormatError) -> ProcessIdentity {
    ProcessIdentity(pid: try number(), startTime: try number())
  }

  /// A list in the kernel's normal form, and in no other.
  package mutating func cpus() throws(FormatError) -> CPUList {
    let word = try word()
    var list = CPUList()
    if word.count == 1, self[word.lowerBound] == UInt8(ascii: "%") { return list }
    var least = 0
    var rest = word
    while let run = run(at: &rest), run.lowerBound >= least, run.upperBound < CPUList.capacity {
      list.insert(run)
      // What follows without a gap would have been written as one with it.
      least = run.upperBound + 2
      guard let comma = rest.first else { return list }
      guard self[comma] == UInt8(ascii: ",") else { break }
      rest = rest.dropFirst()
    }
    throw FormatError("“\(string(word))” is not how CPUs are written")
  }

  /// One number or two with a hyphen in between, of which the second is greater; taken off `rest`.
  package func run(at rest: inout Range<Int>) -> ClosedRange<Int>? {
    guard let first = digits(at: &rest) else { return nil }
    guard let hyphen = rest.first, self[hyphen] == UInt8(ascii: "-") else { return first...first }
    rest = rest.dropFirst()
    guard let last = digits(at: &rest), last > first else { return nil }
    return first...last
  }

  private func digits(at rest: inout Range<Int>) -> Int? {
    var end = rest.lowerBound
    while end < rest.upperBound, self[end].isDigit { end += 1 }
    guard let number: Int = number(in: rest.lowerBound..<end) else { return nil }
    rest = end..<rest.upperBound
    return number
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
@usableFromInline
package struct FormatError: Error {
  package var why: String

  @usableFromInline
  package init(_ why: String) { self.why = why }
}
