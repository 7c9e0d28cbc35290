internal import Bytes

/// What keeps a word without quotes from being a value.
struct TOMLWordError: Error {
  /// What follows the word in a sentence.
  var reason: String

  static let unknown = TOMLWordError(reason: "is not a value; text needs quotes")
  static let underscore = TOMLWordError(reason: "has an underscore that is not between two digits")
  static let leadingZero = TOMLWordError(reason: "has a leading zero")
  static let tooLarge = TOMLWordError(reason: "is beyond the range of a signed 64-bit integer")
  static let date = TOMLWordError(
    reason: "is not a date or time such as 2026-02-28T23:59:30Z")
}

extension TOMLValue.Content {
  /// The number, the date, or the true or false that a word stands for.
  init(_ word: ArraySlice<UInt8>) throws(TOMLWordError) {
    if word.elementsEqual("true".utf8) || word.elementsEqual("false".utf8) {
      self = .boolean(word.count == 4)
    } else if TOMLDate.isMeant(by: word) {
      guard TOMLDate.isValid(word) else { throw .date }
      self = .date(String(decoding: word, as: UTF8.self))
    } else {
      self = try TOMLNumber.content(of: word)
    }
  }
}

/// Integers and floats.
enum TOMLNumber {
  static func content(of word: ArraySlice<UInt8>) throws(TOMLWordError) -> TOMLValue.Content {
    let sign = word.first.flatMap { "+-".utf8.contains($0) ? $0 : nil }
    let body = sign == nil ? word : word.dropFirst()
    if body.elementsEqual("inf".utf8) || body.elementsEqual("nan".utf8) {
      return .float(String(decoding: word, as: UTF8.self))
    }
    if sign == nil, let radix = radix(of: body) {
      return .integer(try integer(body.dropFirst(2), radix: radix))
    }
    let whole = body.prefix { !".eE".utf8.contains($0) }
    try check(whole)
    if whole.count > 1, whole.first == UInt8(ascii: "0") { throw .leadingZero }
    if whole.endIndex == body.endIndex {
      return .integer(try integer(body, isNegative: sign == UInt8(ascii: "-")))
    }
    try checkFraction(body[whole.endIndex...])
    return .float(String(decoding: word, as: UTF8.self))
  }

  /// The base that `0x`, `0o` or `0b` stands for.
  private static func radix(of body: ArraySlice<UInt8>) -> Int? {
    guard body.first == UInt8(ascii: "0") else { return nil }
    switch body.dropFirst().first {
    case UInt8(ascii: "x"): return 16
    case UInt8(ascii: "o"): return 8
    case UInt8(ascii: "b"): return 2
    default: return nil
    }
  }

  private static func integer(
    _ digits: ArraySlice<UInt8>, radix: Int = 10, isNegative: Bool = false
  ) throws(TOMLWordError) -> Int {
    try check(digits, radix: radix)
    var number = 0
    for byte in digits {
      guard let digit = byte.hexDigitValue else { continue }
      let product = number.multipliedReportingOverflow(by: radix)
      let sum = product.partialValue.addingReportingOverflow(isNegative ? -digit : digit)
      if product.overflow || sum.overflow { throw .tooLarge }
      number = sum.partialValue
    }
    return number
  }

  /// Checks that there are digits alone, and underscores only between two of them.
  private static func check(
    _ digits: ArraySlice<UInt8>, radix: Int = 10
  ) throws(TOMLWordError) {
    var isAfterDigit = false
    for byte in digits {
      if byte == UInt8(ascii: "_") {
        if !isAfterDigit { throw .underscore }
        isAfterDigit = false
      } else {
        guard let digit = byte.hexDigitValue, digit < radix else { throw .unknown }
        isAfterDigit = true
      }
    }
    if !isAfterDigit { throw digits.isEmpty ? .unknown : .underscore }
  }

  /// Checks what stands behind the whole part: `.5`, `e+10` or `.5e-3`.
  private static func checkFraction(_ rest: ArraySlice<UInt8>) throws(TOMLWordError) {
    var exponent = rest
    if rest.first == UInt8(ascii: ".") {
      let fraction = rest.dropFirst().prefix { !"eE".utf8.contains($0) }
      try check(fraction)
      exponent = rest[fraction.endIndex...]
      if exponent.isEmpty { return }
    }
    let digits = exponent.dropFirst()
    try check(digits.first.map("+-".utf8.contains) == true ? digits.dropFirst() : digits)
  }
}
