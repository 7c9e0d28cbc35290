extension UInt8 {
  /// Whether the byte is one of `0` to `9`.
  @inlinable package var isDigit: Bool { (48...57).contains(self) }

  /// Whether the byte is one of `a` to `z`, in either case.
  @inlinable package var isLetter: Bool { (97...122).contains(self | 0x20) }

  /// Whether the byte is white space or the end of a line, as isspace(3) has it in the C locale.
  @inlinable package var isSpace: Bool { self == 32 || (9...13).contains(self) }

  /// What the byte stands for as a decimal digit; nil for any other.
  @inlinable package var digitValue: UInt8? { isDigit ? self - 48 : nil }

  /// What the byte stands for as a hexadecimal digit, in either case; nil for any other.
  @inlinable package var hexDigitValue: Int? {
    switch self {
    case 48...57: Int(self) - 48
    case 65...70: Int(self) - 55
    case 97...102: Int(self) - 87
    default: nil
    }
  }
}

extension FixedWidthInteger {
  /// The number with one more decimal digit at its end; nil for a byte that is none, and where there is
  /// no room for it.
  @inlinable package func appending(digit byte: UInt8) -> Self? {
    guard let digit = byte.digitValue else { return nil }
    let tens = multipliedReportingOverflow(by: 10)
    let sum = tens.partialValue.addingReportingOverflow(Self(digit))
    return tens.overflow || sum.overflow ? nil : sum.partialValue
  }
}
