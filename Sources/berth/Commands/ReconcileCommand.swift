internal import ArgumentParser
internal import Lifecycle

struct ReconcileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Give back what domains left behind, and repair what is not as it is to be.",
    discussion: """
      Drops every domain whose QEMU is gone and that its hypervisor has finished with, finishes what \
      a killed hook began, and leaves alone what somebody else changed. Safe at any time.

      EXAMPLES
        berth reconcile
        berth reconcile --json
      """)

  @OptionGroup var options: HostOptions
  @Option(
    help: ArgumentHelp(
      "How often this was tried already, for the pause until the next time.",
      visibility: .hidden))
  var attempt = 0

  func run() throws {
    let host = try options.host
    try host.report("reconcile", nil, options) { lifecycle in
      try lifecycle.reconcile(attempt: attempt, until: host.deadline(milliseconds: 30_000))
    }
  }
}
