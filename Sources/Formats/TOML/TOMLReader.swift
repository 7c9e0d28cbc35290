internal import Bytes

/// Reads a text of TOML 1.0 (toml.io/en/v1.0.0), byte by byte and each byte once.
///
/// What it makes is bounded by `size`, its recursion by `depth`.
struct TOMLReader {
  /// How deep tables and arrays may stand in each other; no key of a policy needs ten.
  static let depth = 64
  /// How many keys and values there may be, each of which takes hundreds of bytes: the policy of a thousand
  /// VMs has a tenth.
  static let size = 65_536

  let bytes: [UInt8]
  var next = 0
  private var line = 1
  /// Where the line of `next` begins.
  private var lineStart = 0
  /// How many bytes of the line before `next` only continue a scalar.
  private var continuations = 0
  /// How many keys and values were read.
  private var count = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    // A mark of the order of bytes, which some editors write.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
      next = 3
      lineStart = 3
    }
  }

  mutating func document() throws(TOMLError) -> TOMLTable {
    var tree = TOMLTree()
    var section = (table: TOMLTree.root, depth: 0)
    while try skipBlank() {
      if peek() == UInt8(ascii: "[") {
        section = try header(&tree)
      } else {
        try pair(&tree, section.table, below: section.depth)
      }
      try endLine()
    }
    return tree.table
  }

  private mutating func header(
    _ tree: inout TOMLTree
  ) throws(TOMLError) -> (table: Int, depth: Int) {
    let isElement = take("[[")
    if !isElement { next += 1 }
    let path = try path(below: 0)
    guard take(isElement ? "]]" : "]") else {
      throw expected("\(isElement ? "“]]”" : "“]”") after the section's name")
    }
    return (isElement ? try tree.append(path) : try tree.open(path), path.count)
  }

  /// Reads `a.b = value` into a table that stands so deep.
  mutating func pair(
    _ tree: inout TOMLTree, _ table: Int, below depth: Int
  ) throws(TOMLError) {
    let path = try path(below: depth)
    guard take("=") else { throw expected("“=” after the key") }
    skipSpaces()
    try tree.set(path, to: try value(below: depth + path.count), in: table)
  }

  /// Reads a key with its dots: `vm."win 11".pins`.
  private mutating func path(below depth: Int) throws(TOMLError) -> [TOMLKey] {
    var path: [TOMLKey] = []
    repeat {
      skipSpaces()
      try checkDepth(depth + path.count)
      try countOne()
      path.append(try key())
      skipSpaces()
    } while take(".")
    return path
  }

  private mutating func key() throws(TOMLError) -> TOMLKey {
    let place = place
    if peek() == UInt8(ascii: "\"") || peek() == UInt8(ascii: "'") {
      return TOMLKey(bytes: try string(isKey: true), place: place)
    }
    let start = next
    while let byte = peek(), Self.isOfBareKeys(byte) { next += 1 }
    if next == start { throw expected("a key") }
    return TOMLKey(bytes: Array(bytes[start..<next]), place: place)
  }

  private static func isOfBareKeys(_ byte: UInt8) -> Bool {
    byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }
}

extension TOMLReader {
  /// The names in what looks like a header, of each line by itself: for a text that is not TOML.
  static func headers(in bytes: [UInt8]) -> [[String]] {
    var reader = TOMLReader(bytes)
    var headers: [[String]] = []
    while reader.peek() != nil {
      reader.count = 0
      reader.skipSpaces()
      if reader.take("[[") || reader.take("["), let path = try? reader.path(below: 0) {
        headers.append(path.map(\.name))
      }
      while let byte = reader.peek(), byte != UInt8(ascii: "\n") { reader.next += 1 }
      _ = reader.takeNewline()
    }
    return headers
  }
}

/// What all parts of the reader are made of.
extension TOMLReader {
  func peek() -> UInt8? { next < bytes.count ? bytes[next] : nil }

  func isNext(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[next...].starts(with: $0) }
  }

  mutating func take(_ text: StaticString) -> Bool {
    guard isNext(text) else { return false }
    next += text.utf8CodeUnitCount
    return true
  }

  mutating func skipSpaces() {
    while peek() == UInt8(ascii: " ") || peek() == UInt8(ascii: "\t") { next += 1 }
  }

  mutating func takeNewline() -> Bool {
    guard take("\n") || take("\r\n") else { return false }
    line += 1
    lineStart = next
    continuations = 0
    return true
  }

  /// Skips white space, newlines and comments; false at the end.
  mutating func skipBlank() throws(TOMLError) -> Bool {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"): next += 1
      case UInt8(ascii: "#"): try skipComment()
      default: if !takeNewline() { return true }
      }
    }
    return false
  }

  private mutating func skipComment() throws(TOMLError) {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\t"), 0x20...0x7e: next += 1
      case 0x80...: try skipScalar()
      default:
        if byte == UInt8(ascii: "\n") || isNext("\r\n") { return }
        throw error("\(found) in a comment")
      }
    }
  }

  private mutating func endLine() throws(TOMLError) {
    skipSpaces()
    if peek() == UInt8(ascii: "#") { try skipComment() }
    if peek() != nil, !takeNewline() { throw expected("the end of the line") }
  }

  /// Gets over one scalar.
  mutating func skipScalar() throws(TOMLError) {
    guard let length = UTF8.length(of: bytes[next...]) else { throw error(found) }
    next += length
    continuations += length - 1
  }
}

/// Errors, and where they are.
extension TOMLReader {
  var place: TOMLPlace { TOMLPlace(line: line, column: next - lineStart - continuations + 1) }

  func error(_ sentence: String) -> TOMLError { TOMLError(place: place, sentence: sentence) }

  func expected(_ what: String) -> TOMLError { error("expected \(what), found \(found)") }

  /// Notes that one more key or value is read.
  mutating func countOne() throws(TOMLError) {
    count += 1
    if count > Self.size { throw error("more than \(Self.size) keys and values") }
  }

  func checkDepth(_ depth: Int) throws(TOMLError) {
    if depth >= Self.depth { throw error("nested more than \(Self.depth) levels deep") }
  }

  /// What stands at the next byte, in a few words.
  var found: String {
    guard let byte = peek() else { return "the end of the file" }
    if byte == UInt8(ascii: "\n") || isNext("\r\n") { return "the end of the line" }
    guard let length = UTF8.length(of: bytes[next...]) else {
      return "the byte 0x\(hexadecimal(UInt32(byte), digits: 2)), which is not UTF-8"
    }
    let first = String(decoding: bytes[next..<next + length], as: UTF8.self)
    if let scalar = first.unicodeScalars.first, Self.isInvisible(scalar) {
      return "the character U+\(hexadecimal(scalar.value, digits: 4))"
    }
    var end = next + length
    while !Self.endsWord(byte), end < bytes.count, end - next < 200, !Self.endsWord(bytes[end]),
      let length = UTF8.length(of: bytes[end...])
    {
      end += length
    }
    return quoted(String(decoding: bytes[next..<end], as: UTF8.self))
  }

  /// Whether a person sees nothing of it, or takes it for a space.
  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    case .spaceSeparator: scalar != " "
    default: false
    }
  }

  private func hexadecimal(_ number: UInt32, digits: Int) -> String {
    let text = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(digits - text.count, 0)) + text
  }

  /// Whether a byte stands in no number, no date and no word.
  static func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, 0x7f, UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"),
      UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "="),
      UInt8(ascii: "\""), UInt8(ascii: "'"):
      true
    default: false
    }
  }
}

extension UTF8 {
  /// How many bytes the scalar has that some bytes begin with; nil where they begin with none.
  ///
  /// The ranges are those of table 3-7 of the Unicode standard: no scalar in more bytes than it
  /// needs, no surrogate, nothing above U+10FFFF.
  fileprivate static func length(of bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = bytes.first else { return nil }
    let (length, second): (Int, ClosedRange<UInt8>)
    switch first {
    case 0...0x7f: return 1
    case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
    case 0xe0: (length, second) = (3, 0xa0...0xbf)
    case 0xed: (length, second) = (3, 0x80...0x9f)
    case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
    case 0xf0: (length, second) = (4, 0x90...0xbf)
    case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
    case 0xf4: (length, second) = (4, 0x80...0x8f)
    default: return nil
    }
    let rest = bytes.dropFirst().prefix(length - 1)
    guard rest.count == length - 1, rest.first.map(second.contains) == true,
      rest.dropFirst().allSatisfy({ (0x80...0xbf).contains($0) })
    else { return nil }
    return length
  }
}
