import FoundationEssentials
import HostModel
import Testing

@testable import berth

/// Whether it helped.
struct ComparisonReportTests {
  private func report(
    running: Double, waiting: Double, preemptions: Double = 0, seconds: Double = 10, vcpus: Int = 2,
    timer: Double? = nil
  ) -> ObservationReport {
    var report = ObservationReport("win10", Observation(from: sample, to: sample), [])
    report.seconds = seconds
    report.threads = (0..<vcpus).map { number in
      ObservationReport.Thread(
        name: "vCPU \(number)", isVCPU: true, cpus: "\(number)", running: running,
        waiting: waiting, preemptions: preemptions, migrations: nil, deviceInterrupts: nil,
        timerInterrupts: timer, calls: nil)
    }
    return report
  }

  private var sample: Sample { Sample(moment: Deadline(nanoseconds: 0)) }

  @Test func tellsHowMuchLessAVCPUWaits() throws {
    let comparison = ComparisonReport(
      report(running: 50, waiting: 50), report(running: 50, waiting: 0.5))
    let waits = try #require(comparison.figures.first { $0.name.hasPrefix("vCPUs waiting") })
    #expect(waits.before == 50)
    #expect(waits.verdict == "50.5 times less")
    #expect(comparison.doubts.isEmpty)
  }

  @Test(arguments: [
    (10.0, 10.5, "the same"), (10.0, 20.0, "2.00 times more"), (10.0, 0.0, "gone"),
    (0.0, 10.0, "new"), (10.0, 5.0, "2.00 times less"),
  ])
  func hasAWordForEachChange(before: Double, after: Double, verdict: String) throws {
    let comparison = ComparisonReport(
      report(running: 50, waiting: 0, preemptions: before),
      report(running: 50, waiting: 0, preemptions: after))
    #expect(comparison.figures.first { $0.name == "preemptions" }?.verdict == verdict)
  }

  /// The timer ticks while a vCPU runs: more of it comes of waiting less.
  @Test func doesNotBlameTheTimer() {
    let comparison = ComparisonReport(
      report(running: 48, waiting: 52, timer: 35), report(running: 98, waiting: 0.1, timer: 41))
    #expect(comparison.helped == .yes)
    #expect(comparison.figures.first { $0.name == "timer interrupts" }?.verdict == nil)
  }

  @Test func saysNothingAboutWhatIsTooSmallToDiffer() {
    let comparison = ComparisonReport(
      report(running: 50, waiting: 0.001), report(running: 50, waiting: 0.002))
    #expect(comparison.figures.allSatisfy { $0.verdict == nil })
  }

  @Test func doubtsWhatCannotBeCompared() {
    let comparison = ComparisonReport(
      report(running: 90, waiting: 1), report(running: 50, waiting: 1, seconds: 2, vcpus: 4))
    #expect(
      comparison.doubts == [
        "the guest's load differs by more than a fifth, so the figures say little",
        "the second one lasted 2.00 s only", "2 vCPUs before, 4 after",
      ])
  }

  @Test func writesANameIntoThePageAsItIs() {
    var after = report(running: 50, waiting: 1)
    after.domain = "<script>"
    let page = ComparisonPage(report: ComparisonReport(report(running: 50, waiting: 9), after)).html
    #expect(page.contains("&lt;script&gt;") && !page.contains("<script"))
    #expect(page.contains("9.00 times less") == false && page.contains("times less"))
  }

  @Test(arguments: [
    (
      9.0, 5.0, 1.0, 1.0, ComparisonReport.Helped.yes,
      "yes, it helped: preemptions 9.00 times less, waiting"
    ),
    (1.0, 1.0, 9.0, 5.0, .no, "no, it got worse: "),
    (9.0, 1.0, 1.0, 5.0, .mixed, "mixed: preemptions 9.00 times less, but waiting"),
    (5.0, 5.0, 5.0, 5.0, .no, "no: nothing differs"),
  ])
  func saysFirstWhetherItHelped(
    preemptionsBefore: Double, waitingBefore: Double, preemptionsAfter: Double,
    waitingAfter: Double, helped: ComparisonReport.Helped, verdict: String
  ) {
    let comparison = ComparisonReport(
      report(running: 50, waiting: waitingBefore, preemptions: preemptionsBefore),
      report(running: 50, waiting: waitingAfter, preemptions: preemptionsAfter))
    #expect(comparison.helped == helped)
    let words = verdict.split(separator: " ").map(String.init)
    for word in words { #expect(comparison.verdict.contains(word)) }
    #expect(comparison.lines.first?.rendered == "did it help? \(comparison.verdict)")
    let page = ComparisonPage(report: comparison).html
    let parts = page.split(separator: "<svg")
    #expect(parts.first?.contains("class=\"answer") == true && parts.count == 2)
  }

  @Test func isNotComparableWhereThereIsADoubt() {
    let comparison = ComparisonReport(
      report(running: 50, waiting: 9), report(running: 50, waiting: 1, seconds: 2))
    #expect(comparison.helped == .notComparable)
    #expect(comparison.verdict == "not comparable: the second one lasted 2.00 s only")
  }

  @Test func takesMoreRunningAtLessWaitingForTheSameLoad() {
    let comparison = ComparisonReport(
      report(running: 50, waiting: 50), report(running: 98, waiting: 2))
    #expect(comparison.doubts.isEmpty && comparison.helped == .yes)
  }

  @Test func leavesOutWhatOneOfBothCouldNotCount() {
    var after = report(running: 50, waiting: 1)
    after.threads[0].deviceInterrupts = 500
    let comparison = ComparisonReport(report(running: 50, waiting: 1), after)
    #expect(!comparison.figures.contains { $0.subject == "device interrupts" })
  }

  @Test func countsMemoryBesideTheVCPUsAsBetter() throws {
    var (before, after) = (report(running: 50, waiting: 1), report(running: 50, waiting: 1))
    before.locality = ObservationReport.Locality(nodes: "1", local: 40, huge: 0)
    after.locality = ObservationReport.Locality(nodes: "1", local: 100, huge: 100)
    let comparison = ComparisonReport(before, after)
    #expect(comparison.helped == .yes)
    #expect(comparison.verdict == "yes, it helped: local memory 2.50 times more, huge pages new")
  }

  @Test func showsEachVCPUBeforeAndAfter() {
    let comparison = ComparisonReport(
      report(running: 50, waiting: 9), report(running: 50, waiting: 1))
    #expect(comparison.vcpus.map(\.name) == ["vCPU 0", "vCPU 1"])
    #expect(comparison.vcpus.first?.waiting.words == "9.00 → 1.00")
    #expect(ComparisonPage(report: comparison).html.contains("<td>9.00 → 1.00</td>"))
  }

  @Test func readsARecordOfAnEarlierVersion() throws {
    let record = #"{"domain":"x","memory":[],"seconds":5,"threads":[]}"#
    let report = try JSONDecoder().decode(ObservationReport.self, from: Data(record.utf8))
    #expect(report.locality == nil && report.remarks == nil)
  }

  @Test(arguments: [
    (0.0, "0.00"), (0.004, "0.00"), (9.994, "9.99"), (12.34, "12.3"), (99.96, "100.0"),
    (1234.5, "1235"), (-1, "0.00"), (.infinity, "1000000000000000"),
  ])
  func writesNumbersAsPreciseAsTheyAre(value: Double, text: String) {
    #expect(decimal(value) == text)
  }
}
