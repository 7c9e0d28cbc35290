internal import ArgumentParser
internal import Formats
internal import HostModel

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what Berth reads from a VM's configuration.",
    discussion: """
      EXAMPLES
        berth inspect --libvirt /etc/libvirt/qemu/win10.xml
        virsh dumpxml win10 | berth inspect --libvirt - --json
        berth inspect --proxmox /etc/pve/qemu-server/100.conf
      """)

  @Option(
    help: ArgumentHelp(
      "A libvirt domain XML; “-” reads it from standard input.", valueName: "file"),
    completion: .file(extensions: ["xml"]))
  var libvirt: String?

  @Option(
    help: ArgumentHelp(
      "A Proxmox VE configuration; “-” reads it from standard input.", valueName: "file"),
    completion: .file(extensions: ["conf"]))
  var proxmox: String?

  @Flag(help: "Answer in JSON.")
  var json = false

  func validate() throws {
    if (libvirt == nil) == (proxmox == nil) {
      throw ValidationError("name one file, with --libvirt or with --proxmox")
    }
  }

  func run() throws {
    let report = DomainReport(try domain())
    var options = HostOptions()
    options.json = json
    try options.print(report, lines: report.lines)
  }

  private func domain() throws -> Domain {
    if let libvirt { return try DomainFile.read(libvirt) }
    let conf = try DomainFile.readProxmox(proxmox ?? "-")
    for warning in conf.warnings { Terminal.complain("\(warning)") }
    return conf.domain
  }
}
