import Bytes
import Testing

@Suite("the bytes of a file")
struct SpanTextTests {
  @Test(
    "fields end at blanks and at the end of the line",
    arguments: [
      ("a bc  d", 0, "a"), ("a bc  d", 1, "bc"), ("a bc  d", 2, "d"), ("a bc  d", 3, nil),
      ("  a\nb", 0, "a"), ("  a\nb", 1, nil), ("", 0, nil), (" \u{301}/ x", 0, "\u{301}/"),
    ] as [(String, Int, String?)])
  func fields(text: String, passed: Int, field: String?) {
    let bytes = text.utf8.span
    var place = 0
    let found = bytes.nextField(from: &place, passing: passed).map { bytes.text(in: $0) }
    #expect(found == field)
  }

  @Test(
    "a number is made of decimal digits alone, as many as an Int holds",
    arguments: [
      ("0", 0), ("007", 7), ("9223372036854775807", .max), ("9223372036854775808", nil),
      ("", nil), ("-1", nil), ("+1", nil), ("1 ", nil), ("٣", nil),
    ] as [(String, Int?)])
  func numbers(text: String, number: Int?) {
    #expect(text.decimal == number)
    #expect("cpu\(text)".number(after: "cpu") == number)
  }

  @Test(
    "white space of ASCII is taken off the ends, and no other",
    arguments: [
      ("a\n", "a"), (" \t\r\n a b \u{b}\u{c}", "a b"), ("a", "a"), (" \n", ""), ("", ""),
      ("\u{a0}a ", "\u{a0}a"), ("\r\u{301} ", "\u{301}"),
    ])
  func trimming(text: String, trimmed: String) {
    #expect(Array(text.trimmed.utf8) == Array(trimmed.utf8))
    #expect(Array(text[...].trimmed.utf8) == Array(trimmed.utf8))
  }

  @Test("bytes are looked for within the text only")
  func occurrences() {
    let bytes = "/proc/1/stat".utf8.span
    let found = [8, 9, -1].map { bytes.has("stat", at: $0) } + [bytes.has("stats", at: 8)]
    #expect(found == [true, false, false, false])
    let slash = UInt8(ascii: "/")
    let places = [bytes.firstIndex(of: slash, from: 1), bytes.firstIndex(of: slash, from: 12)]
    #expect(places == [5, nil])
    let last = bytes.lastIndex(of: slash)
    #expect(last == 7)
  }
}
