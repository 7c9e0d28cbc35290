extension UInt8 {
  /// Whether the byte is one of `0` to `9`.
  @inlinable package var isDigit: Bool { (48...57).contains(self) }

  /// Whether the byte is one of `a` to `z`, in either case.
  @inlinable package var isLetter: Bool { (97...122).contains(self | 0x20) }

  /// Whether the byte is white space or the end of a line, as isspace(3) has it in the C locale.
  @inlinable package var isSpace: Bool { self == 32 || (9...13).contains(self) }

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
