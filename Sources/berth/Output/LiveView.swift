internal import Glibc

/// A picture on a terminal that is drawn again and again, and fits into its window.
///
/// Each picture is written over the last one, line by line, so that nothing flickers. Elsewhere
/// than on a terminal the pictures come one after the other, whole.
struct LiveView {
  /// Lines and columns of a window.
  struct Window: Equatable {
    var lines: Int
    var columns: Int
  }

  private var isFirst = true

  /// The window that standard output is shown in; nil where it is no terminal or tells no size.
  static var window: Window? {
    guard isatty(1) == 1 else { return nil }
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 1, size.ws_col > 1 else {
      return nil
    }
    return Window(lines: Int(size.ws_row), columns: Int(size.ws_col))
  }

  /// Draws a picture over the last one.
  ///
  /// - Parameter lines: The picture for a window of so many lines; all of it for nil.
  mutating func draw(_ lines: (Int?) -> [Text]) {
    guard let window = Self.window else { return Terminal.print(lines(nil)) }
    if isFirst { Self.hideCursor() }
    // The last line stays free for the cursor.
    let picture = lines(window.lines - 1).prefix(window.lines - 1)
    let body = picture.map { $0.cut(to: window.columns).rendered + "\u{1b}[K\n" }.joined()
    Terminal.write(1, (isFirst ? "\u{1b}[H\u{1b}[2J" : "\u{1b}[H") + body + "\u{1b}[J")
    isFirst = false
  }

  /// Shows the cursor again, if it was hidden.
  func end() {
    if !isFirst { Terminal.write(1, Self.shownCursor) }
  }

  private static let shownCursor = "\u{1b}[?25h"

  /// Hides the cursor until the program ends, by whatever signal somebody ends it.
  private static func hideCursor() {
    Terminal.write(1, "\u{1b}[?25l")
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        // Of what a signal may call (signal-safety(7)); the default action then ends the program.
        let sequence: StaticString = "\u{1b}[?25h"
        Glibc.write(1, sequence.utf8Start, sequence.utf8CodeUnitCount)
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
