internal import ArgumentParser
internal import HostModel

/// For which of Proxmox's VMs the line `hookscript` is written, and whether without a question.
struct HookscriptOptions: ParsableArguments {
  @Argument(help: "VMs of Proxmox's, by number or name.", completion: DomainName.known)
  var vms: [String] = []

  @Flag(help: "All VMs of this node.")
  var all = false

  @Flag(help: "Show what would be written, and write nothing.")
  var dryRun = false

  @Flag(name: .shortAndLong, help: "Write without a question.")
  var yes = false

  @OptionGroup var options: HostOptions

  func validate() throws {
    guard vms.isEmpty == all else { throw ValidationError("name VMs, or give --all") }
  }

  /// Shows what the VMs' configurations would say, asks, and writes it.
  ///
  /// - Throws: `ExitCode` 1 where a VM is refused or a line could not be written.
  func run(_ change: HookscriptChange, on host: Host) throws {
    let machines = try ProxmoxMachines(of: host).machines(named: vms)
    var report = HookscriptReport(change, of: machines, isDryRun: dryRun)
    if !options.json { Terminal.print(report.preview) }
    if !dryRun, report.pending > 0 {
      try host.checkMayChange()
      try confirm(report)
      report.write(on: host)
    }
    try options.print(report, lines: report.outcome)
    if report.hasFailed { throw ExitCode(1) }
  }

  private func confirm(_ report: HookscriptReport) throws {
    if yes { return }
    let lines = counted(report.pending, "line")
    if !options.json, Terminal.agrees(to: "Have qm write \(lines)?") { return }
    throw Complaint("nothing was written; --yes writes \(lines) without a question")
  }
}
