internal import ArgumentParser
internal import Live

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show active VMs and each setting's original, wanted and current value.",
    discussion: """
      The first line says whether all settings are in place. Below the settings are the guard units, \
      which clean up after a VM that ends without an event, and Berth's last warnings and errors \
      since the boot. With --watch, what does not fit into the window is folded away.

      Exit status: 0 where all settings are in place, 1 where one has drifted or a VM's goal was given up, \
      2 where the ledger cannot be read.

      EXAMPLES
        berth status
        berth status --watch
        berth status --json | jq '.settings[] | select(.isForeign)'
      """)

  @Flag(help: "Refresh every second until Ctrl-C.")
  var watch = false

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    guard watch else {
      let report = try host.status()
      try options.print(report, lines: report.lines)
      if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
      return
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
