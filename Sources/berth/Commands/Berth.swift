internal import ArgumentParser

/// The administrator's side of Berth.
struct Berth: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "berth",
    abstract: "A berth on the host for every VM: makes the host ready, and gives all of it back.",
    discussion: """
      libvirt and Proxmox VE run berth as their hook; everything below is for you.

      EXAMPLES
        berth plan win10                  what starting win10 would change, and why
        berth status                      who is in, and what of the host they hold
        berth release win10               give back what win10 holds
        berth replay win10 prepare --dry-run
                                          what one step of the hook would do
      """,
    version: "0.1.0",
    subcommands: [
      TopologyCommand.self, ObserveCommand.self, PlanCommand.self, StatusCommand.self,
      MetricsCommand.self, ReconcileCommand.self, ReleaseCommand.self, ReplayCommand.self,
      InspectCommand.self, ConfigCommand.self, CaptureCommand.self, RecordedCommand.self,
    ])
}
