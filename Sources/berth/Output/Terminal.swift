internal import Glibc

/// What is written for people, and where.
enum Terminal {
  /// A colour that is shown on a terminal only, and not where `NO_COLOR` is set to anything (no-color.org) or `TERM`
  /// is `dumb`.
  enum Style: String {
    case bold = "1"
    case faint = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
  }

  static func styled(_ text: String, _ style: Style) -> String {
    guard isColoured else { return text }
    return "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m"
  }

  private static let isColoured =
    isatty(1) == 1 && !isDumb && (environment("NO_COLOR") ?? "").isEmpty

  /// Whether the terminal knows no sequences that move its cursor or change its colour.
  static let isDumb = (environment("TERM") ?? "dumb").utf8.elementsEqual("dumb".utf8)

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  static func print(_ lines: [Text]) {
    for line in lines { Swift.print(line.rendered) }
  }

  /// One line for whoever called, without a newline inside.
  static func complain(_ sentence: String) {
    write(2, "berth: \(Escape.visible(sentence))\n")
  }

  /// Several lines for whoever called.
  static func explain(_ lines: String) { write(2, lines + "\n") }

  /// Whether somebody sees progress; what standard error is never changes.
  private static let isWatched = isatty(2) == 1

  /// Overwrites the last line of progress; nothing where nobody watches.
  static func progress(_ text: String) {
    guard isWatched else { return }
    write(2, "\r\u{1b}[K\(Escape.visible(text))")
  }

  /// Whether somebody at the terminal answers a question with yes; no where there is no terminal.
  static func agrees(to question: String) -> Bool {
    guard isatty(0) == 1, isWatched else { return false }
    write(2, "\(Escape.visible(question)) [y/N] ")
    let answer = readLine() ?? ""
    return ["y", "yes"].contains(answer.lowercased())
  }

  static func endProgress() {
    guard isWatched else { return }
    write(2, "\r\u{1b}[K")
  }

  static func write(_ descriptor: Int32, _ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
