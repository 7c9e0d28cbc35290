internal import Glibc

/// The terminal's other screen, with no cursor, and keys that count as they are typed; whatever ends the program, the
/// terminal is as it was.
enum Screen {
  /// How the terminal treats keys otherwise; set before anything is changed.
  private nonisolated(unsafe) static var ownKeys: termios?

  private static let taken: StaticString = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[H\u{1b}[2J"
  private static let givenBack: StaticString = "\u{1b}[?25h\u{1b}[?1049l"

  static func take() {
    var keys = termios()
    if isatty(0) == 1, tcgetattr(0, &keys) == 0 {
      ownKeys = keys
      keys.c_lflag &= ~tcflag_t(ICANON | ECHO)
      tcsetattr(0, TCSANOW, &keys)
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        Screen.giveBack()
        signal(number, SIG_DFL)
        raise(number)
      }
    }
    // Ctrl-Z: what follows is reached when somebody has the program go on.
    signal(SIGTSTP) { _ in
      Screen.giveBack()
      raise(SIGSTOP)
      Screen.take()
    }
    // Ends the wait for the next picture.
    signal(SIGWINCH) { _ in }
    write(taken)
  }

  /// Of what a signal may call (signal-safety(7)).
  static func giveBack() {
    if var keys = ownKeys { tcsetattr(0, TCSANOW, &keys) }
    write(givenBack)
  }

  private static func write(_ sequence: StaticString) {
    Glibc.write(1, sequence.utf8Start, sequence.utf8CodeUnitCount)
  }
}
