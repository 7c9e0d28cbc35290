internal import Glibc

/// A picture on a terminal that is drawn again and again, and fits into its window.
///
/// Each picture is written over the last one, line by line, so that nothing flickers, on the terminal's
/// other screen, so that what was there before is there again. Elsewhere than on a terminal the
/// pictures come one after the other, whole.
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
    guard !Terminal.isDumb, let window = Self.window else { return Terminal.print(lines(nil)) }
    if isFirst { Screen.take() }
    isFirst = false
    // The last line stays free for the cursor.
    let picture = lines(window.lines - 1).prefix(window.lines - 1)
    let body = picture.map { $0.cut(to: window.columns).rendered + "\u{1b}[K\n" }.joined()
    Terminal.write(1, "\u{1b}[H" + body + "\u{1b}[J")
  }

  /// Waits until it is time for the next picture, or the window has changed.
  ///
  /// - Returns: Whether somebody wants one: no once he has typed q.
  func wait(milliseconds: Int32) -> Bool {
    guard !isFirst, isatty(0) == 1 else {
      poll(nil, 0, milliseconds)
      return true
    }
    var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    guard poll(&input, 1, milliseconds) > 0 else { return true }
    var key: UInt8 = 0
    guard read(0, &key, 1) == 1 else {
      // Its other end is gone; whoever looks on does so without keys.
      poll(nil, 0, milliseconds)
      return true
    }
    return key != UInt8(ascii: "q")
  }

  /// Gives the terminal back, if it was taken.
  func end() {
    if !isFirst { Screen.giveBack() }
  }
}
