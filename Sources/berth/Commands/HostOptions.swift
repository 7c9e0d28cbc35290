internal import ArgumentParser

/// Which host a command looks at, and how it answers.
struct HostOptions: ParsableArguments {
  @OptionGroup var place: RootOptions

  @Flag(help: "Answer in JSON.")
  var json = false

  /// The live host, or the recorded one; what was unpacked for it goes away with its kernel.
  ///
  /// - Throws: For a folder or file that holds no recorded host.
  var host: Host { get throws { try place.host } }
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
