/// Words as a shell parts and quotes them.
///
/// The rules are those of Perl's `shellwords`, by which Proxmox splits `args` (`split_args()` in
/// src/PVE/Cmd.pm): blanks part words; quotes and a backslash take their meaning from what they hold;
/// between single quotes a backslash stays, and takes its meaning from a quote behind it.
package enum ShellWords {
  /// The words of a line; nil where a quote is not closed or a backslash is the last byte, of which Perl
  /// makes no words at all.
  package static func words(of line: some StringProtocol) -> [String]? {
    var words: [[UInt8]] = []
    var word: [UInt8]?
    var rest = Array(line.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case _ where byte.isSpace:
        if let word { words.append(word) }
        word = nil
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst() else { return nil }
        word = word ?? []
        word?.append(escaped)
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        guard let text = quoted(by: byte, &rest) else { return nil }
        word = word ?? []
        word? += text
      default:
        word = word ?? []
        word?.append(byte)
      }
    }
    if let word { words.append(word) }
    return words.map { String(decoding: $0, as: UTF8.self) }
  }

  /// What stands before the quote that closes a text, which is taken off with it; nil where none does.
  private static func quoted(by quote: UInt8, _ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    var text: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == quote { return text }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let escaped = rest.popFirst() else { return nil }
      if quote == UInt8(ascii: "'") { text.append(byte) }
      text.append(escaped)
    }
    return nil
  }

  /// A line that is parted into these words again.
  package static func line(of words: [String]) -> String {
    words.map { isPlain($0) ? $0 : "\"" + escaped($0, "\"\\") + "\"" }.joined(separator: " ")
  }

  /// A text as one argument of a command line of sh(1).
  package static func argument(_ text: String) -> String {
    isPlain(text) ? text : "'" + text.replaced("'", by: "'\\''") + "'"
  }

  /// Whether no byte of a text has a meaning of its own.
  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy {
        $0.isLetter || $0.isDigit || $0 > 127 || "_-=+,.:/@%".utf8.contains($0)
      }
  }

  private static func escaped(_ text: String, _ special: String) -> String {
    let bytes = text.utf8.flatMap { special.utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
