internal import Bytes

/// Dates and times of RFC 3339, of which nothing but the form is of use here.
enum TOMLDate {
  /// Whether a word begins as a date or a time does.
  static func isMeant(by word: ArraySlice<UInt8>) -> Bool {
    let digits = word.prefix(while: \.isDigit).count
    let mark = word.dropFirst(digits).first
    return digits == 4 && mark == UInt8(ascii: "-") || digits == 2 && mark == UInt8(ascii: ":")
  }

  static func isValid(_ word: ArraySlice<UInt8>) -> Bool {
    var rest = word
    if takeTime(&rest) { return rest.isEmpty }
    guard takeDate(&rest) else { return false }
    if rest.isEmpty { return true }
    guard take(&rest, "Tt "), takeTime(&rest) else { return false }
    return rest.isEmpty || takeOffset(&rest) && rest.isEmpty
  }

  private static func takeDate(_ rest: inout ArraySlice<UInt8>) -> Bool {
    var date = rest
    guard let year = takeNumber(&date, digits: 4), take(&date, "-"),
      let month = takeNumber(&date, digits: 2), take(&date, "-"), (1...12).contains(month),
      let day = takeNumber(&date, digits: 2), (1...days(of: month, year)).contains(day)
    else { return false }
    rest = date
    return true
  }

  private static func days(of month: Int, _ year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func takeTime(_ rest: inout ArraySlice<UInt8>) -> Bool {
    var time = rest
    guard let hour = takeNumber(&time, digits: 2), take(&time, ":"), hour < 24,
      let minute = takeNumber(&time, digits: 2), take(&time, ":"), minute < 60,
      // A leap second is the 61st.
      let second = takeNumber(&time, digits: 2), second <= 60
    else { return false }
    if take(&time, ".") {
      let digits = time.prefix(while: \.isDigit)
      if digits.isEmpty { return false }
      time = time[digits.endIndex...]
    }
    rest = time
    return true
  }

  private static func takeOffset(_ rest: inout ArraySlice<UInt8>) -> Bool {
    if take(&rest, "Zz") { return true }
    guard take(&rest, "+-"), let hour = takeNumber(&rest, digits: 2), hour < 24,
      take(&rest, ":"), let minute = takeNumber(&rest, digits: 2), minute < 60
    else { return false }
    return true
  }

  /// Takes one byte out of a few.
  private static func take(_ rest: inout ArraySlice<UInt8>, _ few: StaticString) -> Bool {
    guard let first = rest.first, few.withUTF8Buffer({ $0.contains(first) }) else { return false }
    rest.removeFirst()
    return true
  }

  private static func takeNumber(_ rest: inout ArraySlice<UInt8>, digits: Int) -> Int? {
    let text = rest.prefix(digits)
    guard text.count == digits, text.allSatisfy(\.isDigit) else { return nil }
    rest = rest.dropFirst(digits)
    return text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
  }
}
