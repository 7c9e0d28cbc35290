import Testing

@testable import Bytes

struct ShellWordsTests {
  /// What Perl's `shellwords` (Text::ParseWords 3.31) makes of each line; nil for no words at all.
  @Test(
    arguments: [
      ("", []), ("  ", []), ("-smp 4,x", ["-smp", "4,x"]), ("  a\tb\n", ["a", "b"]),
      ("-smp '4, x'", ["-smp", "4, x"]), ("-cpu \"host,x=a b\"", ["-cpu", "host,x=a b"]),
      ("x''y \"q\\\"r\" e\\ f", ["xy", "q\"r", "e f"]), ("\"\" b", ["", "b"]),
      ("a\"b c\"d", ["ab cd"]), ("'a\\'b' c", ["a\\'b", "c"]), ("\\\\", ["\\"]),
      ("a 'b", nil), ("a \"b", nil), ("a b\\", nil),
    ] as [(String, [String]?)])
  func partsWordsAsProxmoxDoes(line: String, words: [String]?) {
    #expect(ShellWords.words(of: line) == words)
  }

  @Test(arguments: [["-smp", "4"], ["a b", "", "it's"], ["\"", "\\", "ä$x"], []])
  func aLineOfWordsIsPartedIntoThemAgain(words: [String]) {
    #expect(ShellWords.words(of: ShellWords.line(of: words)) == words)
  }

  @Test(arguments: [
    ("plain", "plain"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("$x", "'$x'"),
  ])
  func quotesOneArgument(text: String, argument: String) {
    #expect(ShellWords.argument(text) == argument)
  }
}
