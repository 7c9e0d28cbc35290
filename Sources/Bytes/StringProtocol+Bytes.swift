// Texts of elsewhere, looked at byte by byte as the kernel and the hypervisors do.
//
// A `Character` is what a reader sees as one, and may be many scalars: to Swift's own `split`,
// `contains` and `hasPrefix` a slash before a combining mark is no slash. To all that reads a path,
// a line or a list it is one.
//
// All of it can be inlined: a room that calls a generic function which it cannot see has each byte
// looked up through tables.
extension StringProtocol {
  /// The parts between separators; empty ones are left out unless they are asked for.
  @inlinable package func fields(
    at separator: ASCII, maxSplits: Int = .max, keepingEmpty: Bool = false
  ) -> [Substring] {
    Substring(self).utf8
      .split(
        separator: separator.byte, maxSplits: maxSplits, omittingEmptySubsequences: !keepingEmpty
      )
      .map { Substring($0) }
  }

  /// The parts between bytes of which each is one of `separators`; empty ones are left out.
  @inlinable package func fields(atAnyOf separators: ASCII...) -> [Substring] {
    Substring(self).utf8
      .split { byte in separators.contains { $0.byte == byte } }
      .map { Substring($0) }
  }

  /// The lines with anything in them.
  @inlinable package var lines: [Substring] { fields(at: "\n") }

  @inlinable package func begins(with prefix: some StringProtocol) -> Bool {
    utf8.starts(with: prefix.utf8)
  }

  @inlinable package func ends(with suffix: some StringProtocol) -> Bool {
    utf8.reversed().starts(with: suffix.utf8.reversed())
  }

  /// Whether a byte of the text is that character.
  @inlinable package func has(_ character: ASCII) -> Bool { utf8.contains(character.byte) }

  /// Whether the text has another one in it.
  @inlinable package func has(text: some StringProtocol) -> Bool {
    let wanted = Array(text.utf8)
    guard let first = wanted.first else { return true }
    var rest = Substring(self).utf8
    while let place = rest.firstIndex(of: first) {
      rest = rest[place...]
      if rest.starts(with: wanted) { return true }
      rest = rest.dropFirst()
    }
    return false
  }

  /// The text without so many bytes at its beginning, which are ASCII.
  @inlinable package func droppingFirst(_ count: Int = 1) -> Substring {
    Substring(Substring(self).utf8.dropFirst(count))
  }

  /// The text without so many bytes at its end, which are ASCII.
  @inlinable package func droppingLast(_ count: Int = 1) -> Substring {
    Substring(Substring(self).utf8.dropLast(count))
  }

  /// The text with another one in the place of each occurrence of one that is not empty.
  @inlinable package func replaced(_ part: some StringProtocol, by other: some StringProtocol)
    -> String
  {
    let wanted = Array(part.utf8)
    var result: [UInt8] = []
    var rest = Substring(self).utf8
    while let first = wanted.first, let place = rest.firstIndex(of: first) {
      result += rest[..<place]
      rest = rest[place...]
      let isFound = rest.starts(with: wanted)
      result += isFound ? Array(other.utf8) : [first]
      rest = rest.dropFirst(isFound ? wanted.count : 1)
    }
    return String(decoding: result + rest, as: UTF8.self)
  }

  /// What follows a beginning; nil for a text that begins otherwise.
  @inlinable package func rest(after prefix: some StringProtocol) -> Substring? {
    guard begins(with: prefix) else { return nil }
    return Substring(Substring(self).utf8.dropFirst(prefix.utf8.count))
  }

  /// What stands before an ending; nil for a text that ends otherwise.
  @inlinable package func rest(before suffix: some StringProtocol) -> Substring? {
    guard ends(with: suffix) else { return nil }
    return Substring(Substring(self).utf8.dropLast(suffix.utf8.count))
  }

  /// What stands before and behind the first such character; nil where there is none.
  @inlinable package func cut(at character: ASCII) -> (head: Substring, tail: Substring)? {
    let bytes = Substring(self).utf8
    return bytes.firstIndex(of: character.byte).map(bytes.parts)
  }

  /// What stands before and behind the last such character; nil where there is none.
  @inlinable package func cutLast(at character: ASCII) -> (head: Substring, tail: Substring)? {
    let bytes = Substring(self).utf8
    return bytes.lastIndex(of: character.byte).map(bytes.parts)
  }

  /// The first bytes of the text, as many whole scalars as fit, for messages.
  @inlinable package func clipped(to count: Int) -> Substring {
    let bytes = Substring(self).utf8
    guard var end = bytes.index(bytes.startIndex, offsetBy: count, limitedBy: bytes.endIndex),
      end < bytes.endIndex
    else { return Substring(self) }
    while end > bytes.startIndex, bytes[end] & 0xc0 == 0x80 { end = bytes.index(before: end) }
    return Substring(bytes[..<end])
  }

  /// The text with its first letter, where that is one of `a` to `z`, in upper case.
  package var capitalizedASCII: String {
    var bytes = Array(utf8)
    if let first = bytes.first, (97...122).contains(first) { bytes[0] = first & ~0x20 }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text with the letters `A` to `Z` in lower case, and no others changed.
  @inlinable package var lowercasedASCII: String {
    String(decoding: utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }
}

extension Substring.UTF8View {
  /// What stands before and behind a byte.
  @usableFromInline
  package func parts(around place: Index) -> (head: Substring, tail: Substring) {
    (Substring(self[..<place]), Substring(self[index(after: place)...]))
  }
}
