internal import ArgumentParser
internal import HostModel

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
        berth status win10
        berth status -v
        berth status --watch
        berth status --json | jq '.settings[] | select(.isForeign)'
      """)

  @Flag(help: "Refresh every second until q or Ctrl-C; with --json a line each.")
  var watch = false

  @Flag(name: .shortAndLong, help: "Show each setting, also where many serve one purpose.")
  var verbose = false

  @Argument(
    help: "Only what these VMs hold, by name, UUID or vmid.", completion: DomainName.known)
  var domains: [String] = []

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    let shown = try domains.map { domain in
      guard let holder = try host.holder(named: domain) else {
        throw try host.complaint(aboutUnheld: domain)
      }
      return holder.id
    }
    guard watch else {
      let report = try host.status().only(shown)
      try options.print(report, lines: report.lines(isVerbose: verbose))
      if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
      return
    }
    var view = LiveView()
    defer { view.end() }
    repeat {
      let report = try host.status().only(shown)
      if options.json {
        Terminal.write(1, try JSON.text(of: report, isOneLine: true) + "\n")
      } else {
        view.draw { report.lines(height: $0, isVerbose: verbose) }
      }
      // By the clock of whoever looks: that of a recorded host goes as fast as it is asked.
    } while view.wait(milliseconds: 1000)
  }
}
