extension String {
  /// The text without ASCII white space and newlines at its ends.
  package var trimmed: String {
    let range = utf8.span.trimmedRange
    // Most words of the kernel's are followed by a newline; the others need no copy.
    return range.count == utf8.count ? self : utf8.span.text(in: range)
  }
}

extension String {
  /// The number that decimal digits alone make up; nil for any other text, and for too many.
  package var decimal: Int? { utf8.span.decimal(in: 0..<utf8.count) }
}

extension String {
  /// The number that a text means to the kernel alike wherever it takes numbers: decimal digits without a
  /// zero in front, or hexadecimal ones behind `0x`; nil for any other text, octal ones among them, and for
  /// too many digits (lib/kstrtox.c, `_parse_integer_fixup_radix()`).
  package var kernelNumber: Int? {
    if let digits = rest(after: "0x") {
      return digits.utf8.first == UInt8(ascii: "-") || digits.utf8.first == UInt8(ascii: "+")
        ? nil : Int(digits, radix: 16)
    }
    return utf8.count > 1 && utf8.first == UInt8(ascii: "0") ? nil : decimal
  }
}

extension Substring {
  /// The text without ASCII white space and newlines at its ends.
  package var trimmed: String { String(Substring(utf8.trimmed)) }
}

// Kernel text is read byte by byte: to find the bounds of characters takes many times as long, and
// nothing in it depends on them.
extension BidirectionalCollection<UInt8> {
  /// The bytes without ASCII white space and newlines at their ends.
  @inlinable package var trimmed: SubSequence {
    var rest = self[...]
    while let first = rest.first, first.isSpace { rest.removeFirst() }
    while let last = rest.last, last.isSpace { rest.removeLast() }
    return rest
  }
}

extension Collection<UInt8> {
  /// The number that decimal digits alone make up; nil for any other bytes, and for too many.
  @inlinable package var decimal: Int? {
    guard !isEmpty else { return nil }
    var number = 0
    for byte in self {
      guard let longer = number.appending(digit: byte) else { return nil }
      number = longer
    }
    return number
  }
}

extension String {
  /// The number after a prefix, as in `node1` or `cpu15`; nil for any other text.
  package func number(after prefix: String) -> Int? {
    guard utf8.starts(with: prefix.utf8) else { return nil }
    return utf8.span.decimal(in: prefix.utf8.count..<utf8.count)
  }
}
