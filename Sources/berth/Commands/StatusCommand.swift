internal import ArgumentParser
internal import HostIO

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show who is in and, for each setting they hold, what it was, is to be, and is.",
    discussion: """
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
    try show(host)
    while watch {
      host.kernel.pause(milliseconds: 1000)
      if !options.json { Terminal.clear() }
      try show(host)
    }
  }

  private func show(_ host: Host) throws {
    let report = StatusReport(
      try host.store.load(), damaged: try host.store.damagedFiles(), on: host.lifecycle())
    try options.print(report, lines: report.lines)
  }
}
