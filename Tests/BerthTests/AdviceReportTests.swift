import ArgumentParser
import Formats
import Glibc
import HostModel
internal import Recorded
import Testing

@testable import berth

/// The advice as it is printed, on the recorded workstation.
struct AdviceReportTests {
  private func file(_ name: String) -> String {
    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/Hosts/\(name)"
  }

  /// The command's answer on the workstation, with more lines of its record.
  private func answer(
    _ arguments: [String], with lines: String = ""
  ) throws -> (report: AdviceReport, text: [String]) {
    var template = Array("/tmp/berth-test-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw HostError(.write, "/tmp", errno: errno) }
    let root = String(cString: path)
    defer {
      // What is left behind when this fails is of no further use.
      try? RecordedHost.erase(root)
    }
    try RecordedHost(at: file("two-node-workstation.host")).unpack(into: root)
    try RecordedHost(parsing: lines, from: "test").unpack(into: root)
    let command = try AdviseCommand.parse(arguments + ["--root", root])
    let report = try command.report()
    return (report, report.lines(showing: command.candidate).map(\.rendered))
  }

  @Test func leavesTheGamingDomainWhereItIs() throws {
    let (report, text) = try answer(["--xml", file("gaming.xml")])
    let first = try #require(report.candidates.first)
    #expect(first.present && first.vcpus == [5, 13, 6, 14, 7, 15] && first.emulator == "4,12")
    #expect(first.differences.isEmpty)
    #expect(
      text.prefix(10) == [
        "gaming: 6 vCPUs, 16 GiB, 0000:41:00.0 on node 1, 0000:41:00.1 on node 1; for latency",
        "",
        "1  node 1, L3 of CPUs 4-7,12-15  score 54  as it is now",
        "   vCPUs       5 13 6 14 7 15",
        "   cores       [5,13] [6,14] [7,15]",
        "   emulator    4,12",
        "   iothread 1  4,12",
        "   guest       3 cores of 2 threads",
        "   memory      16 GiB in 8192 pages of 2 MiB from node 1",
        "   host keeps  0-4,8-12",
      ])
    #expect(text.contains("    <emulatorpin cpuset='4,12'/>"))
    #expect(
      text.suffix(3) == [
        "  [vm.\"gaming\"]", "  profile = \"latency\"", "  interrupts.device-cpus = \"4,12\"",
      ])
  }

  @Test func saysWhatWouldChange() throws {
    let report = try answer(["--xml", file("gaming.xml"), "--vcpus", "4"]).report
    #expect(
      report.candidates.first?.differences == [
        "vCPUs: now on 5 13 6 14 7 15, here on 6 14 7 15", "emulator: now on 4,12, here on 5,13",
      ])
  }

  @Test func writesForProxmoxWhereThatIs() throws {
    let conf = "name: web\\ncores: 4\\nmemory: 8192\\naffinity: 1-3,9-11\\nargs: -cpu host"
    let lines = "etc/pve/qemu-server/200.conf\t\(conf)"
    let (report, text) = try answer(["200"], with: lines)
    #expect(report.format == "proxmox" && report.wish.memoryKiB == 8 << 20)
    #expect(text.contains("  args: -cpu host -smp 4,sockets=1,cores=2,threads=2,maxcpus=4"))
    #expect(text.contains("  [vm.\"200\"]"))
    #expect(try answer(["--vcpus", "2", "--memory", "4G"], with: lines).report.format == "proxmox")
    let other = try answer(["200", "--format", "libvirt"], with: lines).text
    #expect(other.contains("  <vcpu placement='static'>4</vcpu>"))
  }

  @Test func saysWhatIsShort() throws {
    let (report, text) = try answer(["--vcpus", "20", "--memory", "1G"])
    #expect(report.candidates.isEmpty)
    #expect(
      text.prefix(2) == [
        "20 vCPUs, 1 GiB; for latency", "  - 20 vCPUs want 20 free CPUs, and the host has 14",
      ])
  }

  @Test func namesTheNearestFunction() throws {
    for (address, words) in [
      ("41:00.2", "no PCI function 0000:41:00.2; the nearest one is 0000:41:00.1"),
      ("zz", "“zz” is no PCI address"),
    ] {
      let error = #expect(throws: Complaint.self) {
        try answer(["--vcpus", "2", "--memory", "1G", "--pci", address])
      }
      #expect(error?.description.contains(words) ?? false)
    }
  }

  @Test func fitsIntoEightyColumns() throws {
    for arguments in [
      ["--xml", file("gaming.xml")], ["--vcpus", "10", "--memory", "60G"],
      ["--vcpus", "20", "--memory", "900G"],
    ] {
      for line in try answer(arguments).text.dropFirst() { #expect(line.count <= 80, "\(line)") }
    }
  }

  @Test func saysEverythingInJSON() throws {
    let report = try answer(["--vcpus", "10", "--memory", "60G"]).report
    let text = try JSON.text(of: report)
    for key in ["cells", "pageKiB", "libvirt", "proxmox", "policy", "merits", "costs", "guest"] {
      #expect(text.contains("\"\(key)\""))
    }
    #expect(report.candidates.first?.cells.count == 2)
  }
}
