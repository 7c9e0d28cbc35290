import HostModel
import Testing

@testable import berth

/// What is written for node_exporter.
struct MetricsTests {
  private var status: StatusReport {
    StatusReport(
      holders: [
        StatusReport.HolderStatus(
          hypervisor: "libvirt", id: "6f0f", name: "a \"b\"\n\\", pid: 1, vcpuCPUs: "4")
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
  }

  @Test func escapesWhatALabelCannotHold() {
    #expect(Metrics(status, []).text.contains("{domain=\"a \\\"b\\\"\\n\\\\\",id=\"6f0f\""))
  }

  @Test func leavesOutWhatNobodyHas() {
    let text = Metrics(StatusReport(holders: [], settings: [], damaged: []), []).text
    #expect(text.contains("berth_domains 0\n"))
    #expect(!text.contains("berth_domain_info") && !text.contains("berth_vcpu"))
  }
}
