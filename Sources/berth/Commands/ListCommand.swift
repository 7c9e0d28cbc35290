internal import ArgumentParser
internal import Facts
internal import Formats
internal import HostModel

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the VMs of the host: whether Berth's hook is called, and by which policy.",
    discussion: """
      Of libvirt's VMs all have the hook or none; of Proxmox's, those whose present configuration has the line \
      hookscript: what waits in [PENDING], and snapshots, are not the present.

      EXAMPLES
        berth list
        berth list --json | jq -r '.vms[] | select(.hook == "none") | .name'
      """)

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    let policy: PolicyFile?
    do throws(HostError) {
      policy = try host.policyFile()
    } catch {
      Terminal.complain("\(error)")
      policy = nil
    }
    let report = try ListReport(of: host, policy)
    try options.print(report, lines: report.lines(columns: LiveView.window?.columns))
  }
}
