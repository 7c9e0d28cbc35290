internal import Bytes
internal import HostModel

/// What values mean to the keys of CPUs; an empty text is always “leave it alone”.
extension PolicyValue {
  private static let nothing = PolicyValue.string("")

  /// A word that the kernel knows, as the name of a governor.
  func wordOfKernel() throws(PolicyValueError) -> String? {
    if self == Self.nothing { return nil }
    guard let name else { throw PolicyValueError("the name of a governor such as performance") }
    return name
  }

  /// A preference that reads back as it was written.
  func energyPreference() throws(PolicyValueError) -> String? {
    if self == Self.nothing { return nil }
    guard let name, name != "default" else {
      throw PolicyValueError("a preference such as performance or balance_power")
    }
    return name
  }

  func frequency() throws(PolicyValueError) -> Policy.CPU.MinimumFrequency? {
    guard case .string(let text) = self else { throw Self.noFrequency }
    if text.isEmpty { return nil }
    if text == "max" { return .highest }
    for (unit, scale) in [("kHz", 1), ("MHz", 1000)] where text.ends(with: unit) {
      guard let number = text.droppingLast(unit.utf8.count).utf8.trimmed.decimal,
        (1...100_000_000).contains(number)
      else { break }
      return .kHz(number * scale)
    }
    throw Self.noFrequency
  }

  private static let noFrequency = PolicyValueError("“max” or a frequency such as “2400MHz”")

  func microseconds() throws(PolicyValueError) -> Int? {
    if self == Self.nothing { return nil }
    guard case .integer(let number) = self, (0...1_000_000).contains(number) else {
      throw PolicyValueError("“” or a number of microseconds from 0 to 1000000")
    }
    return number
  }

  func boolOrNothing() throws(PolicyValueError) -> Bool? {
    if self == Self.nothing { return nil }
    guard case .bool(let bool) = self else { throw PolicyValueError("true, false or “”") }
    return bool
  }
}
