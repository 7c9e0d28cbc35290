import HostModel
import Testing

@testable import berth

/// Who is in and what they hold, on one screen.
struct StatusReportTests {
  private func setting(
    _ name: String, actual: String = "2", isForeign: Bool = false, verdict: String? = nil
  ) -> StatusReport.SettingStatus {
    StatusReport.SettingStatus(
      setting: name, title: name, holders: ["win10"], original: "1", wanted: "2", actual: actual,
      isForeign: isForeign, isKept: false, verdict: verdict, reasons: [])
  }

  private func report(_ settings: [StatusReport.SettingStatus]) -> StatusReport {
    StatusReport(
      holders: [
        StatusReport.HolderStatus(
          hypervisor: "libvirt", id: "6f0f", name: "win10", pid: 1, vcpuCPUs: "4")
      ], settings: settings, damaged: [])
  }

  private func text(_ report: StatusReport, height: Int? = nil) -> [String] {
    report.lines(height: height, isVerbose: false).map(\.rendered)
  }

  /// A host with much to tell: 20 settings, of which the last two have drifted.
  private var busy: StatusReport {
    var report = report(
      (1...18).map { setting("s\($0)") } + [
        setting("drifted", actual: "3", isForeign: true), setting("broken", verdict: "EBUSY"),
      ])
    report.guards = (1...4).map {
      StatusReport.GuardStatus(
        unit: "berth-guard-\($0).service", purpose: "Give back", awaited: "for the end of x",
        hasFailed: false)
    }
    report.errors = (1...5).map {
      StatusReport.Complaint(
        time: "2026-11-25T13:05:12Z", localTime: "Nov 25 13:05:12", domain: nil, phase: nil,
        isError: true, sentence: "error \($0)", count: $0)
    }
    return report
  }

  @Test func countsManySettingsOfOnePurposeInOneLine() {
    var many = (1...3).map { setting("/proc/irq/\($0)/smp_affinity_list") }
    for index in many.indices { many[index].family = .interrupts }
    var other = many[0]
    other.actual = "3"
    let report = report([setting("a"), other] + many)
    #expect(text(report).contains("interrupts: 3 settings         1         2       2    win10"))
    #expect(text(report).count { $0.hasPrefix("/proc/irq") } == 1)
    let all = report.lines(isVerbose: true).map(\.rendered)
    #expect(all.count { $0.hasPrefix("/proc/irq") } == 4)
  }

  @Test(arguments: [
    (width: 80, lines: ["a  b  one two three four five"]),
    (width: 26, lines: ["a  b  one two three four", "      five"]),
    // Less than that is no column any more.
    (width: 20, lines: ["a  b  one two three four five"]),
  ])
  func breaksTheLastColumnBetweenWords(width: Int, lines: [String]) {
    var table = Table()
    table.append("a", "b", "one two three four five")
    #expect(table.lines(width: width).map(\.rendered) == lines)
  }

  @Test func beginsWithWhetherAllIsWell() {
    #expect(
      text(report([setting("a"), setting("b")])).first
        == "all 2 settings are in place")
    #expect(
      text(busy).first == "of 20 settings: 1 failed, 1 changed outside Berth")
    #expect(
      text(report([setting("a", actual: "1")])).first == "of 1 setting: 1 drifted")
  }

  @Test func endsWithWhatAScriptMayAsk() {
    #expect(report([setting("a")]).exitStatus == 0)
    #expect(report([]).exitStatus == 0)
    #expect(report([setting("a", actual: "1")]).exitStatus == 1)
    #expect(busy.exitStatus == 1)
    var givenUp = report([setting("a")])
    givenUp.holders[0].goals = [
      StatusReport.GoalStatus(goal: "isolation", reached: "slices", missed: [])
    ]
    #expect(givenUp.exitStatus == 0)
    givenUp.holders[0].goals[0].reached = nil
    #expect(givenUp.exitStatus == 1)
    givenUp.damaged = ["/run/berth/ledger.damaged.1"]
    #expect(givenUp.exitStatus == 2)
  }

  @Test func aGoalThatWasMissedStaysInSight() {
    var report = report([setting("a")])
    let missed = [StatusReport.MissedWay(way: "vCPU partitions", reason: "the kernel refuses it")]
    report.holders[0].goals = [
      StatusReport.GoalStatus(goal: "isolation", reached: "slices", missed: missed)
    ]
    #expect(
      text(report)[2...3] == [
        "isolation of win10: slices", "  no vCPU partitions: the kernel refuses it",
      ])
    report.holders[0].goals = [
      StatusReport.GoalStatus(goal: "isolation", reached: nil, missed: [])
    ]
    #expect(text(report)[2] == "isolation of win10: none")
  }

  @Test func showsFirstWhatIsNotAsItIsToBe() throws {
    let lines = text(busy)
    let heading = try #require(lines.firstIndex { $0.hasPrefix("SETTING") })
    #expect(lines[heading + 1].hasPrefix("drifted"))
    #expect(lines[heading + 2].hasPrefix("broken"))
    #expect(lines.contains { $0.hasPrefix("failed: broken: EBUSY") })
  }

  @Test(arguments: 1...45)
  func fitsIntoAnyWindow(height: Int) {
    let lines = text(busy, height: height)
    #expect(lines.count <= height)
    #expect(lines.first == "of 20 settings: 1 failed, 1 changed outside Berth")
    #expect(lines.count == min(height, text(busy).count) || height < text(busy).count)
  }

  @Test func foldsAwayWhatIsAsItIsToBeBeforeAnythingElse() {
    let whole = text(busy).count
    let lines = text(busy, height: whole - 5)
    #expect(lines.count == whole - 5)
    #expect(lines.contains("and 6 more settings, all in place"))
    #expect(
      lines.contains { $0.hasPrefix("berth-guard-4") } && lines.contains { $0.contains("error 5") })
    let narrow = text(busy, height: 14)
    #expect(narrow.contains { $0.hasPrefix("and 20 more settings, 2 of them not") })
    #expect(narrow.contains { $0.hasPrefix("failed: broken") })
  }

  @Test func tellsOfLeftoversThoughNobodyIsIn() {
    var report = StatusReport(holders: [], settings: [], damaged: [])
    #expect(text(report) == ["no VM holds anything; the host is in its original state"])
    report.guards = [
      StatusReport.GuardStatus(
        unit: "berth-arrival-x.service", purpose: "Give back", awaited: nil, hasFailed: true)
    ]
    report.errors = busy.errors.map { Array($0.prefix(1)) }
    #expect(
      text(report) == [
        "no VM holds anything; the host is in its original state", "", "GUARDS",
        "berth-arrival-x.service  failed  Give back", "", "LAST WARNINGS AND ERRORS",
        "Nov 25 13:05:12  error error 1",
      ])
  }

  @Test func saysNullWhereTheHostCannotTell() throws {
    let json = try JSON.text(of: report([])).filter { !$0.isWhitespace }
    #expect(json.contains("\"errors\":null") && json.contains("\"guards\":null"))
  }

  @Test(arguments: [
    (3, "ab…"), (6, "abcdef"), (7, "abcdef"), (5, "abcd…"), (1, "…"), (0, ""),
  ])
  func cutsWhatIsWiderThanTheWindow(columns: Int, text: String) {
    #expect((Text("abc", .bold) + Text("def")).cut(to: columns).rendered == text)
  }
}
