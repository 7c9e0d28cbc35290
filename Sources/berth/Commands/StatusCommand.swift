internal import ArgumentParser
internal import Live

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show who is in and, for each setting they hold, what it was, is to be, and is.",
    discussion: """
      The first line says whether all is as it is to be. Below the settings are the units that \
      stand by in case a VM leaves without a word, and the last of Berth's warnings and errors \
      since the boot. With --watch, what does not fit into the window is folded away.

      EXAMPLES
        berth status
        berth status --watch
        berth status --json | jq '.settings[] | select(.isForeign)'
      """)

  @Flag(help: "Go on, each second anew, until interrupted.")
  var watch = false

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    guard watch else {
      let report = try host.status()
      return try options.print(report, lines: report.lines)
    }
    var view = LiveView()
    defer { view.end() }
    while true {
      let report = try host.status()
      if options.json {
        try options.print(report, lines: [])
      } else {
        view.draw(report.lines(height:))
      }
      // By the clock of whoever looks: that of a recorded host goes as fast as it is asked.
      LiveKernel().pause(milliseconds: 1000)
    }
  }
}
