internal import ArgumentParser
internal import HostIO

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show who is in and, for each setting they hold, what it was, is to be, and is.",
    discussion: """
      EXAMPLES
        berth status
        berth status --json | jq '.settings[] | select(.isForeign)'
      """)

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = options.host
    let ledger = try host.store.load()
    let report = StatusReport(
      ledger, damaged: try host.store.damagedFiles(), on: host.lifecycle())
    try options.print(report, lines: report.lines)
  }
}
