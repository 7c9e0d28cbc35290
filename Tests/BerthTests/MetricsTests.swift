import Bytes
import HostModel
import Live
import Port
import Testing

@testable import berth

/// What is written for node_exporter.
struct MetricsTests {
  private var status: StatusReport {
    StatusReport(
      holders: [
        StatusReport.HolderStatus(
          hypervisor: "libvirt", id: "6f0f", name: "a \"b\"\n\\", pid: 1, vcpuCPUs: "4",
          goals: [
            StatusReport.GoalStatus(
              goal: "isolation", reached: "slices",
              missed: [StatusReport.MissedWay(way: "vCPU partitions", reason: "no")])
          ])
      ],
      settings: [
        StatusReport.SettingStatus(
          setting: "x", title: "x", holders: [], original: "1", wanted: "2", actual: "3",
          isForeign: true, isKept: false, verdict: "no", reasons: [])
      ], damaged: [])
  }

  private func counters(_ role: ThreadRole) -> ThreadCounters {
    ThreadCounters(
      thread: HostThread(pid: 1, tid: 2, startTime: 3, role: role), name: "", affinity: [4],
      ran: 12_000_000_034, waited: 5, preemptions: 6, migrations: nil)
  }

  @Test func writesEachFigureWithItsNameAndKind() {
    var sample = Sample(moment: Deadline(nanoseconds: 0))
    sample.threads = [counters(.vcpu(0)), counters(.emulator)]
    let text = Metrics(status, [Metrics.NamedSample(name: "win10", sample: sample)]).text
    #expect(text.contains("# TYPE berth_domains gauge\nberth_domains 1\n"))
    #expect(
      text.contains("berth_settings_foreign 1\n") && text.contains("berth_settings_failed 1\n"))
    #expect(
      text.contains(
        "berth_vcpu_run_seconds_total{domain=\"win10\",vcpu=\"0\"} 12.000000034\n"))
    #expect(
      text.contains(
        "berth_vcpu_wait_seconds_total{domain=\"win10\",vcpu=\"0\"} 0.000000005\n"))
    #expect(text.split(separator: "\n").filter { $0.hasPrefix("berth_vcpu_run") }.count == 1)
    #expect(text.contains("goal=\"isolation\",reached=\"slices\"} 0\n"))
  }

  @Test func escapesWhatALabelCannotHold() {
    #expect(Metrics(status, []).text.contains("{domain=\"a \\\"b\\\"\\n\\\\\",id=\"6f0f\""))
  }

  @Test func leavesOutWhatNobodyHas() {
    let text = Metrics(StatusReport(holders: [], settings: [], damaged: []), []).text
    #expect(text.contains("berth_domains 0\n"))
    #expect(!text.contains("berth_domain_info") && !text.contains("berth_vcpu"))
  }

  @Test func everyFamilyIsDocumentedAndNothingElse() throws {
    var status = status
    status.hugepages = [StatusReport.HeldPages(node: 1, pageKiB: 2048, pages: 8192)]
    status.guards = [
      StatusReport.GuardStatus(unit: "berth-follow.timer", purpose: "", hasFailed: true)
    ]
    var sample = Sample(moment: Deadline(nanoseconds: 0))
    sample.threads = [counters(.vcpu(0))]
    sample.threads[0].migrations = 7
    let text = Metrics(status, [Metrics.NamedSample(name: "win10", sample: sample)]).text
    let made = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
      .map { String($0.split(separator: " ")[2]) }
    let page = try LiveKernel().text(of: HostPath(foreign: Self.page))
    let documented = page.split(separator: "\n").filter { $0.hasPrefix("| `berth_") }
      .map { String($0.split(separator: "`")[1]) }
    #expect(made == documented)
    #expect(
      text.contains("berth_hugepages_held_bytes{node=\"1\",page_kib=\"2048\"} 17179869184\n"))
    for alert in page.matches(of: /berth_[a-z_]+/) {
      #expect(made.contains(String(alert.output)))
    }
  }

  @Test func saysNothingOfGuardsWhereTheHostCannotTell() {
    #expect(!Metrics(status, []).text.contains("berth_guards"))
  }

  /// docs/METRICS.md of this checkout.
  private static var page: String {
    "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/docs/METRICS.md"
  }
}
