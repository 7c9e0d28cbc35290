internal import ArgumentParser
internal import Glibc

/// Which host a command looks at.
struct RootOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Work on a recorded host: a capture, or a folder with its sys/, proc/, run/ and etc/.",
      valueName: "place"))
  var root: String?

  func validate() throws {
    guard let root, access(root, F_OK) != 0 else { return }
    throw ValidationError("there is no folder or capture “\(root)”")
  }

  /// The live host, or the recorded one; what was unpacked for it goes away with its kernel.
  ///
  /// - Throws: For a folder or file that holds no recorded host.
  var host: Host {
    get throws {
      guard let root else { return .live() }
      return try Host.recorded(in: root)
    }
  }
}
