extension StringProtocol {
  /// The text without ASCII white space and newlines at its ends.
  package var trimmed: String { String(Substring(Substring(self).utf8.trimmed)) }
}

// Kernel text is read byte by byte: to find the bounds of characters takes many times as long, and
// nothing in it depends on them.
extension Substring.UTF8View {
  /// The bytes without ASCII white space and newlines at their ends.
  package var trimmed: Substring.UTF8View {
    var rest = self
    while let first = rest.first, first.isSpace { rest.removeFirst() }
    while let last = rest.last, last.isSpace { rest.removeLast() }
    return rest
  }
}

extension Collection<UInt8> {
  /// The number that decimal digits alone make up; nil for any other bytes, and for too many.
  package var decimal: Int? {
    guard !isEmpty else { return nil }
    var number = 0
    for byte in self {
      guard byte.isDigit else { return nil }
      let tens = number.multipliedReportingOverflow(by: 10)
      let sum = tens.partialValue.addingReportingOverflow(Int(byte) - 48)
      if tens.overflow || sum.overflow { return nil }
      number = sum.partialValue
    }
    return number
  }
}

extension String {
  /// The number after a prefix, as in `node1` or `cpu15`; nil for any other text.
  package func number(after prefix: String) -> Int? {
    rest(after: prefix)?.utf8.decimal
  }
}
