import Testing

@testable import Bytes

struct ExactTextTests {
  /// Texts that are one to Unicode, and two to whoever has to tell VMs apart.
  static let pairs = [
    ("K", "\u{212a}"), ("caf\u{e9}", "cafe\u{301}"), ("\u{2126}", "\u{3a9}"), (";", "\u{37e}"),
    ("\u{ac00}", "\u{1100}\u{1161}"),
  ]

  @Test(arguments: pairs)
  func twoSpellingsAreTwoTexts(first: String, second: String) {
    #expect(first == second, "Unicode takes them for one")
    #expect(ExactText(first) != ExactText(second) && !first.isSame(as: second))
    #expect(Set([ExactText(first), ExactText(second)]).count == 2)
    #expect(ExactText(first) < ExactText(second) || ExactText(second) < ExactText(first))
  }

  @Test(arguments: ["", "a", "\0", "a\0b", "caf\u{e9}"])
  func aTextIsItself(text: String) {
    #expect(ExactText(text) == ExactText(text[...]) && text.isSame(as: text[...]))
    #expect(ExactText(text).hashValue == ExactText(text).hashValue)
    #expect(ExactText(text) != ExactText(text + "\0"))
  }
}
