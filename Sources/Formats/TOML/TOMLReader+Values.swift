internal import Bytes

/// Values; no recursion goes deeper than `depth`.
extension TOMLReader {
  /// Reads a value that stands so many tables and arrays deep.
  mutating func value(below depth: Int) throws(TOMLError) -> TOMLValue {
    let place = place
    try countOne()
    let content: TOMLValue.Content
    switch peek() {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      content = .string(String(decoding: try string(), as: UTF8.self))
    case UInt8(ascii: "["): content = .array(try array(below: depth))
    case UInt8(ascii: "{"): content = .table(try inlineTable(below: depth))
    default: content = try word()
    }
    return TOMLValue(content: content, place: place)
  }

  private mutating func array(below depth: Int) throws(TOMLError) -> [TOMLValue] {
    try checkDepth(depth)
    let line = place.line
    next += 1
    var values: [TOMLValue] = []
    while try skipBlank(), !isNext("]") {
      values.append(try value(below: depth + 1))
      guard try skipBlank(), take(",") else { break }
    }
    guard take("]") else { throw expected("“,” or “]” in the array that begins in line \(line)") }
    return values
  }

  /// Reads `{ a = 1, b.c = 2 }`, which is of one line apart from the values in it.
  private mutating func inlineTable(below depth: Int) throws(TOMLError) -> TOMLTable {
    var tree = TOMLTree()
    next += 1
    skipSpaces()
    if take("}") { return tree.table }
    repeat {
      try pair(&tree, TOMLTree.root, below: depth)
      skipSpaces()
    } while take(",")
    guard take("}") else { throw expected("“,” or “}” in the line of the inline table") }
    return tree.table
  }

  /// Reads a number, a date, or true or false.
  private mutating func word() throws(TOMLError) -> TOMLValue.Content {
    var end = self.end(ofWordFrom: next)
    // A space may stand between a date and a time.
    if end - next == 10, TOMLDate.isMeant(by: bytes[next..<end]),
      bytes[end...].starts(with: " ".utf8),
      bytes[end...].dropFirst().first?.isDigit == true
    {
      end = self.end(ofWordFrom: end + 1)
    }
    if end == next { throw expected("a value") }
    let start = place
    let word = bytes[next..<end]
    while next < end { try skipScalar() }
    do throws(TOMLWordError) {
      return try TOMLValue.Content(word)
    } catch {
      let text = quoted(String(decoding: word, as: UTF8.self))
      throw TOMLError(place: start, sentence: "\(text) \(error.reason)")
    }
  }

  private func end(ofWordFrom start: Int) -> Int {
    bytes[start...].firstIndex(where: Self.endsWord) ?? bytes.count
  }
}
