import Bytes
import HostModel
import Live
import Port
import Testing

@testable import Formats
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

  @Test func tellsItsVersion() {
    #expect(
      Metrics(status, []).text.hasPrefix(
        "# HELP berth_build_info The program that wrote this.\n# TYPE berth_build_info gauge\n"
          + "berth_build_info{version=\"\(programVersion)\"} 1\n"))
  }

  /// All families with a value.
  private var whole: String {
    var status = status
    status.hugepages = [StatusReport.HeldPages(node: 1, pageKiB: 2048, pages: 8192)]
    status.guards = [
      StatusReport.GuardStatus(unit: "berth-follow.timer", purpose: "", hasFailed: true)
    ]
    var sample = Sample(moment: Deadline(nanoseconds: 0))
    sample.threads = [counters(.vcpu(0))]
    sample.threads[0].migrations = 7
    return Metrics(status, [Metrics.NamedSample(name: "win10", sample: sample)]).text
  }

  /// The families of a text, in their order.
  private func families(of text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
      .map { String($0.split(separator: " ")[2]) }
  }

  @Test func everyFamilyIsDocumentedAndNothingElse() throws {
    let text = whole
    let made = families(of: text)
    let page = try document("METRICS.md")
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

  @Test func theDashboardNamesWhatIsWrittenAndNothingElse() throws {
    let text = whole
    let made = families(of: text)
    // Prometheus and node_exporter add the first two; the last is a family's own name.
    let labels = Set(text.matches(of: /[{,]([a-z_]+)="/).map { String($0.output.1) })
      .union(["instance", "job", "__name__"])
    let dashboard = try JSONReader.value(of: Array(try document("grafana/berth.json").utf8))
    let queries = texts(of: ["expr", "definition"], in: dashboard)
    #expect(queries.count > 12)
    var named: Set<String> = []
    for query in queries {
      let names = query.matches(of: /berth_[a-z_]+/).map { String($0.output) }
      #expect(!names.isEmpty, "\(query)")
      named.formUnion(names)
      for match in query.matches(of: /[{,]([a-z_]+)=/) {
        #expect(labels.contains(String(match.output.1)), "\(query)")
      }
      for match in query.matches(of: /by \(([a-z_, ]+)\)/) {
        for label in match.output.1.split(separator: ", ") {
          #expect(labels.contains(String(label)), "\(query)")
        }
      }
    }
    #expect(named.subtracting(made) == [])
    #expect(Set(made).subtracting(named) == [])
  }

  /// The texts that an object anywhere in the value has by one of these keys.
  private func texts(of keys: Set<String>, in value: Formats.JSONValue) -> [String] {
    switch value {
    case .array(let values): return values.flatMap { texts(of: keys, in: $0) }
    case .object(let object):
      return object.flatMap { key, value in
        if keys.contains(key), case .string(let text) = value { return [text] }
        return texts(of: keys, in: value)
      }
    default: return []
    }
  }

  /// A file of docs in this checkout.
  private func document(_ name: String) throws -> String {
    let checkout = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try LiveKernel().text(of: HostPath(foreign: "/\(checkout)/docs/\(name)"))
  }
}
