internal import ArgumentParser
internal import Glibc
internal import HostIO

/// Which host a command looks at, and how it answers.
struct HostOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Work on a recorded host: a folder that holds its sys/, proc/, run/ and etc/.",
      valueName: "folder"), completion: .directory)
  var root: String?

  @Flag(help: "Answer in JSON.")
  var json = false

  func validate() throws {
    guard let root else { return }
    var status = stat()
    guard stat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw ValidationError("there is no folder “\(root)”")
    }
  }

  /// The live host, or the recorded one.
  var host: Host { root.map(Host.recorded(in:)) ?? .live() }
}

extension HostOptions {
  /// Prints one report, for people or for programs.
  func print<Report: Encodable>(_ report: Report, lines: [Text]) throws {
    if json {
      Swift.print(try JSON.text(of: report))
    } else {
      Terminal.print(lines)
    }
  }
}
