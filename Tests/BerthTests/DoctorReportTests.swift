import Bytes
import HostModel
import Testing

@testable import Findings
@testable import berth

/// What `berth doctor` says, and with which status it ends.
struct DoctorReportTests {
  private func finding(_ severity: Finding.Severity) -> Finding {
    Finding(
      severity, "the emulator thread of a domain may run on the CPUs that its vCPUs are pinned to",
      evidence: [Evidence("win.xml", "emulator on 5"), Evidence("/sys/x", "1")],
      consequence: "a vCPU waits", fix: "<emulatorpin cpuset='0-4,7-12,15'/>")
  }

  @Test(arguments: [
    ([], 0), ([Finding.Severity.note], 0), ([.warning, .note], 1), ([.error, .warning], 2),
  ])
  func endsWithTheWorst(severities: [Finding.Severity], status: Int) {
    #expect(DoctorReport(severities.map(finding), domains: []).exitStatus == Int32(status))
  }

  @Test func tellsAFindingInItsParts() {
    let lines = DoctorReport([finding(.warning)], domains: ["win"]).lines.map(\.rendered)
    #expect(
      lines == [
        "warning  the emulator thread of a domain may run on the CPUs that its vCPUs are",
        "         pinned to",
        "  seen   win.xml: emulator on 5",
        "         /sys/x: 1",
        "  so     a vCPU waits",
        "  fix    <emulatorpin cpuset='0-4,7-12,15'/>",
        "",
        "looked at the host, and at win: 1 warning",
      ])
  }

  @Test func saysWhatItLookedAt() {
    func summary(_ domains: [String]) -> String? {
      DoctorReport([], domains: domains).lines.last?.rendered
    }
    #expect(summary([]) == "looked at the host: nothing found")
    #expect(summary(["a", "b"]) == "looked at the host, and at a, b: nothing found")
    #expect(
      summary(["a", "b", "c", "d"]) == "looked at the host, and at 4 domains: nothing found")
  }

  @Test func everyCheckIsInTheDocumentationOnce() throws {
    let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try DomainFile.bytes(of: "/\(repository)/docs/DOCTOR.md")
    let rows = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix("| `") }.map { String($0.dropFirst(3).prefix { $0 != "`" }) }
    let names =
      CheckCatalog.ofHosts.map { type(of: $0).name }
      + CheckCatalog.ofDomains.map { type(of: $0).name }
    #expect(rows == names)
  }
}
