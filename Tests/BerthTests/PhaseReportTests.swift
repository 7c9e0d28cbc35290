import Testing

@testable import berth

struct PhaseReportTests {
  @Test func saysWhereNothingWasToChange() {
    let report = PhaseReport(domain: nil, phase: "reconcile")
    #expect(report.lines.map(\.rendered) == ["nothing to change"])
  }

  @Test func leavesThatOutWhereSomethingFailed() {
    var report = PhaseReport(domain: "vm", phase: "prepare")
    report.failures = ["the ledger is a link"]
    report.refusals = ["no pages"]
    #expect(report.lines.count == 2)
  }

  @Test func saysThatBesideAWarning() {
    var report = PhaseReport(domain: "vm", phase: "prepare")
    report.warnings = ["the policy has an error"]
    #expect(report.lines.count == 2)
  }
}
