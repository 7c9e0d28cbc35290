internal import Bytes

/// Why a text is not a list of CPUs.
package struct CPUListError: Error, Equatable, CustomStringConvertible {
  package var text: String

  package init(text: String) { self.text = text }

  package var description: String {
    "“\(text.clipped(to: 60))” is not a list of CPUs such as 0-3,8"
  }
}

extension CPUList {
  /// The set that a cpulist names.
  ///
  /// White space around the list and around its parts is allowed, as the kernel's
  /// `bitmap_parselist()` allows it. With `allowsExclusions`, `^8` takes CPU 8 out of what stands
  /// before it, as libvirt's `virBitmapParse()` reads it.
  package init(parsing text: String, allowsExclusions: Bool = false) throws(CPUListError) {
    self.init()
    let body = Substring(text).utf8.trimmed
    if body.isEmpty { return }
    // One part at a time: a text of megabytes may have as many as it has bytes.
    var rest = body[...]
    var isLast = false
    while !isLast {
      let comma = rest.firstIndex(of: UInt8(ascii: ","))
      isLast = comma == nil
      var range = rest[..<(comma ?? rest.endIndex)].trimmed
      rest = comma.map { rest[rest.index(after: $0)...] } ?? rest
      let isExcluded = allowsExclusions && range.first == UInt8(ascii: "^")
      if isExcluded { range = range.dropFirst() }
      guard let members = Self.range(of: range), !isExcluded || members.count == 1 else {
        throw CPUListError(text: text)
      }
      if isExcluded {
        remove(members.lowerBound)
      } else {
        insert(members)
      }
    }
  }

  /// The set that a hexadecimal mask names, such as `00000000,000000ff`.
  package init(parsingMask text: String) throws(CPUListError) {
    self.init()
    var bit = 0
    for byte in Substring(text).utf8.trimmed.reversed() where byte != UInt8(ascii: ",") {
      guard let digit = byte.hexDigitValue, bit < Self.capacity else {
        throw CPUListError(text: text)
      }
      for offset in 0..<4 where digit & (1 << offset) != 0 { insert(bit + offset) }
      bit += 4
    }
    if bit == 0 { throw CPUListError(text: text) }
  }

  /// The hexadecimal mask in the kernel's words of 32 bits, at least one, joined by commas.
  package var mask: String {
    let top = reduce(0) { Swift.max($0, $1) } / 32
    return stride(from: top, through: 0, by: -1).map { index in
      let word = (0..<32).reduce(UInt32(0)) { word, bit in
        contains(index * 32 + bit) ? word | 1 << UInt32(bit) : word
      }
      let digits = String(word, radix: 16)
      return index == top ? digits : String(repeating: "0", count: 8 - digits.count) + digits
    }.joined(separator: ",")
  }

  private static func range(of text: Substring.UTF8View) -> ClosedRange<Int>? {
    guard let dash = text.firstIndex(of: UInt8(ascii: "-")) else {
      return number(text).map { $0...$0 }
    }
    guard let low = number(text[..<dash]), let high = number(text[text.index(after: dash)...]),
      low <= high
    else { return nil }
    return low...high
  }

  private static func number(_ text: Substring.UTF8View) -> Int? {
    guard let number = text.decimal, number < capacity else { return nil }
    return number
  }
}
