/// The text of a file as its bytes.
///
/// To find the bounds of characters takes many times as long, and nothing in a kernel's text depends
/// on them.
extension Span<UInt8> {
  package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    var place = start
    let pattern = 0x0101_0101_0101_0101 &* UInt64(byte)
    while place + 8 <= count {
      let eight = bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
      // A byte that is zero borrows from the bit above it; the lowest that does is one for sure.
      let others = eight ^ pattern
      let borrowed = (others &- 0x0101_0101_0101_0101) & ~others & 0x8080_8080_8080_8080
      if borrowed != 0 { return place + borrowed.trailingZeroBitCount / 8 }
      place += 8
    }
    while place < count {
      if self[place] == byte { return place }
      place += 1
    }
    return nil
  }

  package func lastIndex(of byte: UInt8) -> Int? {
    var place = count
    while place > 0 {
      place -= 1
      if self[place] == byte { return place }
    }
    return nil
  }

  /// Hands on each line that a newline ends, without it; `start` is then where the rest begins.
  package func passLines(from start: inout Int, _ body: (Span<UInt8>) -> Void) {
    while let end = firstIndex(of: UInt8(ascii: "\n"), from: start) {
      body(extracting(start..<end))
      start = end + 1
    }
  }

  /// The bytes without ASCII white space and newlines at their ends.
  package var trimmedRange: Range<Int> {
    var start = 0
    var end = count
    while start < end, self[start].isSpace { start += 1 }
    while start < end, self[end - 1].isSpace { end -= 1 }
    return start..<end
  }

  /// Whether these bytes stand at a place.
  package func has(_ bytes: StaticString, at place: Int) -> Bool {
    let length = bytes.utf8CodeUnitCount
    guard place >= 0, place + length <= count else { return false }
    for offset in 0..<length where self[place + offset] != bytes.utf8Start[offset] { return false }
    return true
  }

  /// Whether these are the bytes of a text.
  package func isText(_ text: String) -> Bool {
    let bytes = text.utf8.span
    return count == bytes.count && begins(with: bytes)
  }

  /// Whether the first of these bytes are those.
  package func begins(with bytes: Span<UInt8>) -> Bool {
    guard bytes.count <= count else { return false }
    for place in 0..<bytes.count where self[place] != bytes[place] { return false }
    return true
  }

  /// The next field between blanks on a line, once as many as `passed` have been passed over; nil at
  /// the end of the line.
  package func nextField(from place: inout Int, passing passed: Int = 0) -> Range<Int>? {
    var field = 0..<0
    for _ in 0...passed {
      while place < count, self[place] == UInt8(ascii: " ") { place += 1 }
      let start = place
      while place < count, self[place] != UInt8(ascii: " "), self[place] != UInt8(ascii: "\n") {
        place += 1
      }
      if start == place { return nil }
      field = start..<place
    }
    return field
  }

  /// The number that decimal digits alone make up; nil for any other bytes, and for too many.
  package func decimal(in range: Range<Int>) -> Int? {
    if range.isEmpty { return nil }
    var number = 0
    for place in range {
      guard let longer = number.appending(digit: self[place]) else { return nil }
      number = longer
    }
    return number
  }

  /// The number that one to eight hexadecimal digits alone make up; nil for any other bytes.
  package func hexadecimal(in range: Range<Int>) -> Int? {
    guard (1...8).contains(range.count) else { return nil }
    var number = 0
    for place in range {
      guard let digit = self[place].hexDigitValue else { return nil }
      number = number << 4 | digit
    }
    return number
  }

  /// The text of some bytes, in which what is not UTF-8 is marked.
  package func text(in range: Range<Int>) -> String {
    extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }
}
