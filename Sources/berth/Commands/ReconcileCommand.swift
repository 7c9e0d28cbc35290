internal import ArgumentParser
internal import Lifecycle

struct ReconcileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Give back what ended VMs left behind and repair what has drifted.",
    discussion: """
      Drops every VM whose QEMU is gone and that its hypervisor has finished with, completes what a \
      killed hook began, and leaves alone what was changed outside Berth. Safe at any time.

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
