internal import Bytes

/// A manual page as it is written, in the macros of man(7), with a date such as `2026-11-25`.
struct Roff {
  private(set) var text: String
  private var isBehindHeading = false

  init(title: String, section: Int, date: String, source: String) {
    text = ".\\\" Written by “berth manual”; change the program, not this file.\n"
    text += ".TH \(title) \(section) \(date) \"\(source)\"\n"
  }

  /// Begins a paragraph, which right behind a heading needs no request.
  private mutating func beginParagraph() {
    if !isBehindHeading { text += ".PP\n" }
    isBehindHeading = false
  }

  mutating func section(_ name: String) { heading(".SH \(Self.escaped(name))") }

  mutating func subsection(_ name: String) { heading(".SS \"\(Self.escaped(name))\"") }

  private mutating func heading(_ request: String) {
    text += request + "\n"
    isBehindHeading = true
  }

  /// A paragraph, each of whose sentences has a line of its own in the page's source.
  mutating func paragraph(_ words: String) {
    let sentences = words.replacing(". ", with: ".\n").fields(at: "\n")
    beginParagraph()
    text += "\(sentences.map { Self.line(String($0)) }.joined(separator: "\n"))\n"
  }

  /// A term, in bold, with what there is to say of it.
  mutating func item(_ term: String, _ words: String) {
    isBehindHeading = false
    text += ".TP\n\\fB\(Self.escaped(term))\\fR\n\(Self.line(words))\n"
  }

  /// One more line of the item or the paragraph before.
  mutating func lineBreak(_ words: String) { text += ".br\n\(Self.line(words))\n" }

  /// Right behind a heading, lines that are filled each by itself.
  mutating func synopsis(_ lines: [String]) {
    isBehindHeading = false
    for (index, line) in lines.enumerated() {
      text += (index == 0 ? "" : ".br\n") + "\(Self.line(line))\n"
    }
  }

  /// Lines as they are.
  mutating func verbatim(_ lines: [String]) {
    beginParagraph()
    text += ".RS 4\n.nf\n\(lines.map(Self.line).joined(separator: "\n"))\n.fi\n.RE\n"
  }

  /// One line of text: what stands at its front is no request.
  private static func line(_ words: String) -> String {
    let escaped = escaped(words)
    return escaped.begins(with: ".") || escaped.begins(with: "'") ? "\\&" + escaped : escaped
  }

  /// The characters that roff takes for its own, or that a terminal may not have.
  private static func escaped(_ words: String) -> String {
    words.map { character in
      switch character {
      case "\\": "\\e"
      case "-": "\\-"
      case "\"": "\\(dq"
      case "'": "\\(aq"
      case "“": "\\(lq"
      case "”": "\\(rq"
      case "–": "\\(en"
      case "…": "\\&..."
      case "→": "\\(->"
      case "µ": "\\(mc"
      case "\n": " "
      default: String(character)
      }
    }.joined()
  }
}
