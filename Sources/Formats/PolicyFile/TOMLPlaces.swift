internal import Bytes
internal import HostModel

/// Where the keys of a TOML text stand, in the order of the text.
///
/// The parser gives lines for errors of syntax only, and keeps tables sorted by name. This looks at
/// the text's outline: headers, keys, strings and brackets.
struct TOMLPlaces {
  private(set) var list: [(path: [String], line: Int)] = []
  /// The first place where the outline is not that of a TOML text.
  ///
  /// Such a text must not get to the parser: toml++ as TOMLKit brings it does not refuse a header
  /// without a name (`[=]`), an array that a brace ends (`[1,}`) or half a time after a date
  /// (`2021-01-01 0`, `2021-01-01T:0`), but aborts the process on an assertion, or worse where
  /// assertions are off.
  private(set) var fault: TOMLFault?

  private var bytes: [UInt8]
  private var next = 0
  private var line = 1

  init(_ text: String) {
    bytes = Array(text.utf8)
    var table: [String] = []
    while skipBlank(), fault == nil {
      if peek() == UInt8(ascii: "[") {
        table = readHeader()
      } else {
        readSetting(of: table)
      }
      skipSpaces()
      if let byte = peek(), !Array("#\r\n".utf8).contains(byte) {
        object("something after the end of the section or value")
      }
      skipLine()
    }
  }

  private mutating func readHeader() -> [String] {
    let bracket: StaticString = isNext("[[") ? "]]" : "]"
    next += bracket.utf8CodeUnitCount
    let path = readPath()
    if path.isEmpty { object("a section without a name") }
    list.append((path, line))
    take(bracket, "a section without its closing bracket")
    return path
  }

  private mutating func readSetting(of table: [String]) {
    let path = readPath()
    if path.isEmpty { return object("something that is no key, section or comment") }
    list.append((table + path, line))
    take("=", "a key without “=” and a value")
    skipValue(of: table + path)
  }

  /// The line of a key or section, or of what is nearest above it.
  func line(of path: [String]) -> Int {
    let dotted = path.joined(separator: ".")
    if let place = list.first(where: { $0.path.joined(separator: ".") == dotted }) {
      return place.line
    }
    // A table that was never written by itself, as in `memory.compact = …`.
    if let place = list.first(where: { $0.path.starts(with: path) }) { return place.line }
    return path.isEmpty ? 1 : line(of: Array(path.dropLast()))
  }

  /// The second names of all tables under a first one, each once: the order of `[vm."…"]`.
  func names(under kind: String) -> [String] {
    var names: [String] = []
    for place in list where place.path.count > 1 && place.path[0] == kind {
      if !names.contains(place.path[1]) { names.append(place.path[1]) }
    }
    return names
  }
}

/// A text that the parser of TOML must not even see.
struct TOMLFault: Error {
  var line: Int
  var sentence: String
}

extension TOMLPlaces {
  /// The headers of a text that may not be TOML: of every line by itself that looks like one.
  static func headers(of text: String) -> TOMLPlaces {
    var places = TOMLPlaces("")
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let line = String(decoding: line, as: UTF8.self).trimmed
      guard line.begins(with: "["), let header = TOMLPlaces(line).list.first else { continue }
      places.list.append((header.path, index + 1))
    }
    return places
  }

  private mutating func object(_ sentence: String) {
    fault = fault ?? TOMLFault(line: line, sentence: sentence)
  }

  private func peek() -> UInt8? { next < bytes.count ? bytes[next] : nil }

  private func isNext(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[next...].starts(with: $0) }
  }

  private mutating func advance() {
    if peek() == UInt8(ascii: "\n") { line += 1 }
    next += 1
  }

  private mutating func skipLine() {
    while let byte = peek(), byte != UInt8(ascii: "\n") { next += 1 }
  }

  private mutating func skipSpaces() {
    while peek() == UInt8(ascii: " ") || peek() == UInt8(ascii: "\t") { next += 1 }
  }

  /// Skips white space, newlines and comments; false at the end.
  private mutating func skipBlank() -> Bool {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "#"): skipLine()
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
      default: return true
      }
    }
    return false
  }

  /// Reads a key with its dots: `vm."win 11".pins`.
  private mutating func readPath() -> [String] {
    var path: [String] = []
    while true {
      skipSpaces()
      guard let name = readName() else { return [] }
      path.append(name)
      skipSpaces()
      guard peek() == UInt8(ascii: ".") else { return path }
      next += 1
    }
  }

  private mutating func readName() -> String? {
    switch peek() {
    case UInt8(ascii: "\"")?: return readQuoted(UInt8(ascii: "\""))
    case UInt8(ascii: "'")?: return readQuoted(UInt8(ascii: "'"))
    default: break
    }
    let start = next
    while let byte = peek(), Self.isOfBareKeys(byte) { next += 1 }
    return start == next ? nil : String(decoding: bytes[start..<next], as: UTF8.self)
  }

  private static func isOfBareKeys(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private mutating func readQuoted(_ quote: UInt8) -> String? {
    next += 1
    var text: [UInt8] = []
    while let byte = peek(), byte != UInt8(ascii: "\n") {
      next += 1
      if byte == quote { return String(decoding: text, as: UTF8.self) }
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        text += readEscape()
      } else {
        text.append(byte)
      }
    }
    return nil
  }

  /// What stands after a backslash, as UTF-8.
  private mutating func readEscape() -> [UInt8] {
    guard let byte = peek() else { return [] }
    next += 1
    let plain: [UInt8: UInt8] = [
      UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9, UInt8(ascii: "n"): 10, UInt8(ascii: "f"): 12,
      UInt8(ascii: "r"): 13,
    ]
    if let character = plain[byte] { return [character] }
    let lengths: [UInt8: Int] = [UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8]
    guard let length = lengths[byte] else { return [byte] }
    let digits = String(decoding: bytes[next...].prefix(length), as: UTF8.self)
    next = min(next + length, bytes.count)
    guard let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else { return [] }
    return Array(String(scalar).utf8)
  }

  /// Gets over a value, and notes the keys of inline tables on the way.
  private mutating func skipValue(of path: [String], depth: Int = 0) {
    // No key takes anything as deep.
    if depth > 16 || path.count > 16 { return object("brackets within brackets, too deep") }
    skipSpaces()
    switch peek() {
    case UInt8(ascii: "\"")?, UInt8(ascii: "'")?: skipText()
    case UInt8(ascii: "{")?: skipMembers(of: path, depth: depth)
    case UInt8(ascii: "[")?: skipArray(of: path, depth: depth)
    default: skipWord()
    }
  }

  /// Gets over a number, a date, or true or false.
  private mutating func skipWord() {
    let start = next
    while let byte = peek(), !Array(",[]{}=\"'#\n".utf8).contains(byte) { next += 1 }
    let word = String(decoding: bytes[start..<next], as: UTF8.self).trimmed
    if word.isEmpty { object("a value is missing") }
    if word.contains(where: \.isWhitespace) || Self.lacksTime(word) {
      object("\(quoted(word)) has to be in quotes")
    }
  }

  /// Whether no digit follows the “T” of what begins as a date with a time.
  private static func lacksTime(_ word: String) -> Bool {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard word.utf8.first.map(digits.contains) == true,
      let mark = word.utf8.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "t") })
    else { return false }
    return word.utf8[mark...].dropFirst().first.map(digits.contains) != true
  }

  private mutating func skipText() {
    let isLiteral = peek() == UInt8(ascii: "'")
    let quote = isLiteral ? UInt8(ascii: "'") : UInt8(ascii: "\"")
    let fence: StaticString = isLiteral ? "'''" : "\"\"\""
    guard isNext(fence) else {
      if readQuoted(quote) == nil { object("a text without its closing quote") }
      return
    }
    next += 3
    while peek() != nil, !isNext(fence) {
      if !isLiteral, peek() == UInt8(ascii: "\\") { advance() }
      if peek() != nil { advance() }
    }
    take(fence, "a text without its closing quotes")
    // It may end with quotes of its own before the three that close it.
    while peek() == quote { next += 1 }
  }

  private mutating func skipArray(of path: [String], depth: Int) {
    next += 1
    while fault == nil, skipBlank(), peek() != UInt8(ascii: "]") {
      skipValue(of: path, depth: depth + 1)
      guard skipBlank(), peek() == UInt8(ascii: ",") else { break }
      next += 1
    }
    take("]", "an array without its closing bracket")
  }

  private mutating func skipMembers(of path: [String], depth: Int) {
    next += 1
    while fault == nil, skipBlank(), peek() != UInt8(ascii: "}") {
      let key = readPath()
      if !key.isEmpty { list.append((path + key, line)) }
      take("=", "a key without “=” and a value")
      skipValue(of: path + key, depth: depth + 1)
      guard skipBlank(), peek() == UInt8(ascii: ",") else { break }
      next += 1
    }
    take("}", "an inline table without its closing brace")
  }

  /// Gets over what has to stand here.
  private mutating func take(_ text: StaticString, _ objection: String) {
    if isNext(text) {
      next += text.utf8CodeUnitCount
    } else {
      object(objection)
    }
  }
}
