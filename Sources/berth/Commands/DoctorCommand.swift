internal import ArgumentParser
internal import Bytes
internal import Findings
internal import HostModel

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract:
      "Find what prevents VMs from starting or slows them down, and how to fix it.",
    discussion: """
      Looks at the host and at the named VM, or at every VM that Berth serves. Nothing is changed. \
      Each finding has the evidence, the consequence and the fix.

      Exit status: 0 where nothing is wrong, 1 for warnings, 2 for errors.

      EXAMPLES
        berth doctor
        berth doctor win10
        berth doctor --libvirt win10.xml
        berth doctor --json | jq -r '.findings[] | select(.severity == "error") | .fix'
      """)

  @Argument(
    help: "A VM's name or Proxmox vmid; every VM without one.",
    completion: DomainName.known)
  var domain: String?

  @OptionGroup var source: DomainOptions
  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    var examiner = try Examiner(host)
    let (examined, domains) = try examiner.examine(try configuration(on: host))
    for complaint in examiner.complaints { Terminal.complain(complaint) }
    let report = DoctorReport(
      Doctor.findings(on: examined, of: domains), domains: domains.map(\.domain.name))
    try options.print(report, lines: report.lines)
    if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
  }

  private func configuration(on host: Host) throws -> DomainConfiguration? {
    if let libvirt = source.libvirt { return try DomainConfiguration(libvirt: libvirt) }
    if let proxmox = source.proxmox { return try DomainConfiguration(proxmox: proxmox) }
    guard let domain else { return nil }
    if let found = try DomainConfiguration.find(domain, on: host) { return found }
    throw Complaint(try DomainOptions.sentence(aboutUnknown: domain, on: host))
  }
}
