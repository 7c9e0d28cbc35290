internal import ArgumentParser

/// The administrator's side of Berth.
struct Berth: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "berth",
    abstract: "A berth on the host for every VM: makes the host ready, and gives all of it back.",
    discussion: """
      libvirt and Proxmox VE run berth as their hook; everything below is for you.

      EXAMPLES
        berth list                        the VMs, and whether Berth is called for them
        berth doctor win10                what is wrong, and how to fix it
        berth plan win10                  what starting win10 would change, and why
        berth status                      active VMs, and what they hold
        berth release win10               give back what win10 holds
        berth replay win10 prepare --dry-run
                                          what one step of the hook would do
      """,
    version: programVersion,
    subcommands: [VersionCommand.self, ManualCommand.self],
    groupedSubcommands: [
      CommandGroup(
        name: "View",
        subcommands: [
          ListCommand.self, TopologyCommand.self, DoctorCommand.self, StatusCommand.self,
          ObserveCommand.self, MetricsCommand.self,
        ]),
      CommandGroup(
        name: "Planning",
        subcommands: [
          PlanCommand.self, AdviseCommand.self, InspectCommand.self, ConfigCommand.self,
        ]),
      CommandGroup(
        name: "State",
        subcommands: [
          EnableCommand.self, DisableCommand.self, ReconcileCommand.self, ReleaseCommand.self,
          ReplayCommand.self,
        ]),
      CommandGroup(
        name: "Recording", subcommands: [CaptureCommand.self, RecordedCommand.self]),
    ])

  @Flag(name: .customShort("V"), help: ArgumentHelp("Print the version.", visibility: .hidden))
  var version = false

  func run() throws {
    guard version else { throw CleanExit.helpRequest(self) }
    print(programVersion)
  }
}
