internal import ArgumentParser
internal import HostIO

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what Berth reads out of a domain's configuration.",
    discussion: """
      EXAMPLES
        berth inspect --libvirt /etc/libvirt/qemu/win10.xml
        virsh dumpxml win10 | berth inspect --libvirt - --json
      """)

  @Option(
    help: ArgumentHelp(
      "A libvirt domain XML; “-” reads it from standard input.", valueName: "file"))
  var libvirt: String

  @Flag(help: "Answer in JSON.")
  var json = false

  func run() throws {
    let report = DomainReport(try DomainFile.read(libvirt))
    var options = HostOptions()
    options.json = json
    try options.print(report, lines: report.lines)
  }
}
