internal import Formats

extension FuzzTarget {
  /// The TOML that a policy file is written in.
  static let toml = FuzzTarget(name: "toml") { bytes throws(BrokenPromise) in
    let read = TOMLText(bytes)
    switch read {
    case .table(let table):
      if table.depth < 60 {
        try promise(
          TOMLText(table.written).content == read.content, "what is written is what was read")
      }
    case .error(let error):
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let (line, column) = (error.place.line, error.place.column)
      try promise((1...lines.count).contains(line), "an error is in the text")
      try promise((1...lines[line - 1].count + 1).contains(column), "an error is in its line")
      try promise(error.sentence.unicodeScalars.count <= 300, "an error fits on a line")
    }
    // A mark of the order of bytes is one at the beginning only.
    if !bytes.starts(with: [0xef, 0xbb, 0xbf]) {
      let lower = TOMLText(Array("# a comment\n".utf8) + bytes)
      try promise(lower.content == read.content, "a comment means nothing")
      try promise(
        lower.places.map { [$0.line - 1, $0.column] } == read.places.map { [$0.line, $0.column] },
        "a comment moves what is below it by a line")
    }
    if !bytes.contains(UInt8(ascii: "\r")) {
      let other = TOMLText(bytes.flatMap { $0 == UInt8(ascii: "\n") ? [0x0d, 0x0a] : [$0] })
      try promise(other.content == read.content, "lines end in either way")
      try promise(other.places == read.places, "lines end in either way, in the same places")
    }
  }
}

/// What a text is read as.
private enum TOMLText {
  case table(TOMLTable)
  case error(TOMLError)

  init(_ bytes: [UInt8]) {
    do throws(TOMLError) {
      self = .table(try TOMLTable(parsing: bytes))
    } catch {
      self = .error(error)
    }
  }

  /// What is read, without its places.
  var content: [UInt8] {
    switch self {
    case .table(let table): table.written
    // The sentence may name a line.
    case .error: Array("an error".utf8)
    }
  }

  /// Where it stands.
  var places: [TOMLPlace] {
    switch self {
    case .table(let table): table.places
    case .error(let error): [error.place]
    }
  }
}

extension TOMLTable {
  /// The table as a text, with a line for each key.
  fileprivate var written: [UInt8] { settings.flatMap { $0 + [0x0a] } }

  fileprivate var settings: [[UInt8]] {
    members.map { $0.name.writtenTOML + Array(" = ".utf8) + $0.value.written }
  }

  fileprivate var places: [TOMLPlace] {
    members.flatMap { [$0.place] + $0.value.places }
  }

  /// How deep tables and arrays stand in each other.
  fileprivate var depth: Int { 1 + (members.map(\.value.depth).max() ?? 0) }
}

extension TOMLValue {
  fileprivate var written: [UInt8] {
    switch content {
    case .string(let text): text.writtenTOML
    case .integer(let integer): Array("\(integer)".utf8)
    case .float(let text), .date(let text): Array(text.utf8)
    case .boolean(let bool): Array("\(bool)".utf8)
    case .array(let values):
      [0x5b] + Array(values.map(\.written).joined(separator: [0x2c])) + [0x5d]
    case .table(let table): [0x7b] + Array(table.settings.joined(separator: [0x2c])) + [0x7d]
    }
  }

  fileprivate var places: [TOMLPlace] {
    switch content {
    case .array(let values): [place] + values.flatMap(\.places)
    case .table(let table): [place] + table.places
    default: [place]
    }
  }

  fileprivate var depth: Int {
    switch content {
    case .array(let values): 1 + (values.map(\.depth).max() ?? 0)
    case .table(let table): table.depth
    default: 0
    }
  }
}

extension String {
  /// The text as a basic string.
  fileprivate var writtenTOML: [UInt8] {
    let escaped = unicodeScalars.flatMap { scalar -> [UInt8] in
      switch scalar.value {
      case 0x20...0x21, 0x23...0x5b, 0x5d...0x7e, 0x80...: return Array(String(scalar).utf8)
      default:
        let digits = String(scalar.value, radix: 16)
        return Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
      }
    }
    return [0x22] + escaped + [0x22]
  }
}
