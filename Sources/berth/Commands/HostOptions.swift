internal import ArgumentParser
internal import HostIO

/// Which host a command looks at, and how it answers.
struct HostOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Work on a recorded host: a folder that holds its sys/, proc/, run/ and etc/.",
      valueName: "folder"))
  var root: String?

  @Flag(help: "Answer in JSON.")
  var json = false

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
