internal import Bytes

/// Text of elsewhere for each format that is written, one function for each, scalar by scalar: to Swift's
/// `Character` a quotation mark before a combining mark is no quotation mark, and to a reader it is one.
enum Escape {
  /// A terminal, or a line of a log: what misleads a reader is shown as it would be written in Swift.
  static func visible(_ text: String) -> String {
    // Nearly every text is plain, and tables are made of thousands.
    if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
    return mapped(text) { $0.misleads ? $0.escaped(asASCII: true) : nil }
  }

  /// Between tags and in attributes of XML and HTML, which have no way to hold a control character.
  static func markup(_ text: String) -> String {
    mapped(visible(text)) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      case "'": "&#39;"
      default: nil
      }
    }
  }

  /// The value of a label in the text format of Prometheus, where three characters are escaped and no
  /// others can be (`lexer.l` of prometheus/common's expfmt).
  static func metricLabel(_ text: String) -> String {
    mapped(text) { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\"": "\\\""
      case "\n": "\\n"
      default: nil
      }
    }
  }

  /// A text of JSON as somebody sees it in a terminal: in its strings, what misleads is escaped, which to
  /// a program is the same text.
  static func json(_ text: String) -> String {
    mapped(text) { scalar in
      guard scalar.misleads, scalar != "\n" else { return nil }
      return String(scalar).utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
    }
  }

  private static func mapped(
    _ text: String, _ replacement: (Unicode.Scalar) -> String?
  ) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let other = replacement(scalar) {
        result.append(contentsOf: other.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }
}
