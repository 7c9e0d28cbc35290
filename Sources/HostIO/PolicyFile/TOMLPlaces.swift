/// Where the keys of a TOML text stand, in the order of the text.
///
/// The parser gives lines for errors of syntax only, and keeps tables sorted by name. This looks at
/// the text's outline alone: headers, keys, and enough of the values to get over them. In a text
/// that is not TOML it still finds the headers, each on a line of its own.
struct TOMLPlaces {
  private(set) var list: [(path: [String], line: Int)] = []

  private var bytes: [UInt8]
  private var next = 0
  private var line = 1

  init(_ text: String) {
    bytes = Array(text.utf8)
    var table: [String] = []
    while skipBlank() {
      let start = line
      let isHeader = peek() == UInt8(ascii: "[")
      while isHeader, peek() == UInt8(ascii: "[") { next += 1 }
      let path = readPath()
      if isHeader {
        if peek() == UInt8(ascii: "]"), !path.isEmpty {
          table = path
          list.append((path, start))
        }
      } else if peek() == UInt8(ascii: "="), !path.isEmpty {
        list.append((table + path, start))
        next += 1
        skipValue(of: table + path)
      }
      skipLine()
    }
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

extension TOMLPlaces {
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
    while let byte = peek(), !Array(" \t\r\n.=[]{}#,\"'".utf8).contains(byte) { next += 1 }
    return start == next ? nil : String(decoding: bytes[start..<next], as: UTF8.self)
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
  private mutating func skipValue(of path: [String]) {
    skipSpaces()
    switch peek() {
    case UInt8(ascii: "\"")?, UInt8(ascii: "'")?: skipText()
    case UInt8(ascii: "{")?: skipMembers(of: path)
    case UInt8(ascii: "[")?: skipArray()
    default:
      while let byte = peek(), !Array(",]}#\n".utf8).contains(byte) { next += 1 }
    }
  }

  private mutating func skipText() {
    let isLiteral = peek() == UInt8(ascii: "'")
    let isLong = isLiteral ? isNext("'''") : isNext("\"\"\"")
    guard isLong else {
      _ = readQuoted(isLiteral ? UInt8(ascii: "'") : UInt8(ascii: "\""))
      return
    }
    next += 3
    while peek() != nil, !(isLiteral ? isNext("'''") : isNext("\"\"\"")) {
      if !isLiteral, peek() == UInt8(ascii: "\\") { advance() }
      if peek() != nil { advance() }
    }
    // A long text may end with quotes of its own before the three that close it.
    let quote = isLiteral ? UInt8(ascii: "'") : UInt8(ascii: "\"")
    while peek() == quote { next += 1 }
  }

  /// Gets over an array, however deep: nothing in it is a key of ours.
  private mutating func skipArray() {
    var depth = 0
    while skipBlank(), let byte = peek() {
      switch byte {
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        next += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        next += 1
        if depth == 0 { return }
      case UInt8(ascii: "\""), UInt8(ascii: "'"): skipText()
      default: next += 1
      }
    }
  }

  private mutating func skipMembers(of path: [String]) {
    next += 1
    // Nobody nests tables deeper than the keys have dots.
    guard path.count < 16 else { return }
    while skipBlank(), peek() != UInt8(ascii: "}") {
      let start = line
      let key = readPath()
      guard !key.isEmpty, peek() == UInt8(ascii: "=") else { return }
      list.append((path + key, start))
      next += 1
      skipValue(of: path + key)
      if skipBlank(), peek() == UInt8(ascii: ",") { next += 1 }
    }
    if peek() != nil { next += 1 }
  }
}
