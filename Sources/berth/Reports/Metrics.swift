internal import HostModel

/// What is held and what VMs get, in the text format of Prometheus, as node_exporter's textfile
/// collector takes it.
struct Metrics {
  private var families: [Family] = []

  /// The counters of a VM.
  struct NamedSample {
    var name: String
    var sample: Sample
  }

  private struct Family {
    var name: String
    var kind: String
    var help: String
    var points: [Point]
  }

  private struct Point {
    var labels: [Label] = []
    var value: String
  }

  private struct Label {
    var name: String
    var value: String
  }

  init(_ status: StatusReport, _ samples: [NamedSample]) {
    families.append(
      Family(
        name: "berth_build_info", kind: "gauge", help: "The program that wrote this.",
        points: [Point(labels: [Label(name: "version", value: programVersion)], value: "1")]))
    add("berth_domains", "VMs that Berth holds something for.", status.holders.count)
    families.append(
      Family(
        name: "berth_domain_info", kind: "gauge", help: "An active VM.",
        points: status.holders.map(Self.point)))
    families.append(
      Family(
        name: "berth_domain_goal", kind: "gauge",
        help:
          "Whether a VM's goal, such as isolation, is reached by the best way; reached names it.",
        points: status.holders.flatMap(Self.goals)))
    add(
      "berth_settings", "Settings of the host that are held or being given back.",
      status.settings.count)
    add(
      "berth_settings_foreign", "Settings changed outside Berth.",
      status.settings.count(where: \.isForeign))
    add(
      "berth_settings_failed", "Settings that could not be set or given back.",
      status.settings.count { $0.verdict != nil })
    add("berth_ledgers_damaged", "Ledgers that could not be read.", status.damaged.count)
    addPages(of: status)
    if let guards = status.guards {
      add("berth_guards", "Guard units for VMs that end without an event.", guards.count)
      add(
        "berth_guards_failed", "Of those, the ones whose last run failed.",
        guards.count(where: \.hasFailed))
    }
    addCounters(of: samples)
  }

  private mutating func add(_ name: String, _ help: String, _ count: Int) {
    families.append(
      Family(name: name, kind: "gauge", help: help, points: [Point(value: "\(count)")]))
  }

  private static func point(of holder: StatusReport.HolderStatus) -> Point {
    let labels = [
      Label(name: "domain", value: holder.name), Label(name: "id", value: holder.id),
      Label(name: "hypervisor", value: holder.hypervisor),
    ]
    return Point(labels: labels, value: "1")
  }

  private static func goals(of holder: StatusReport.HolderStatus) -> [Point] {
    holder.goals.map { goal in
      Point(
        labels: [
          Label(name: "domain", value: holder.name), Label(name: "goal", value: goal.goal),
          Label(name: "reached", value: goal.reached ?? "none"),
        ],
        value: goal.missed.isEmpty && goal.reached != nil ? "1" : "0")
    }
  }

  private mutating func addPages(of status: StatusReport) {
    let points = status.hugepages.map { held in
      Point(
        labels: [
          Label(name: "node", value: "\(held.node)"),
          Label(name: "page_kib", value: "\(held.pageKiB)"),
        ],
        value: "\(HugepagePool.kibibytes(in: held.pages, of: held.pageKiB) * 1024)")
    }
    families.append(
      Family(
        name: "berth_hugepages_held_bytes", kind: "gauge",
        help: "Memory in huge pages that Berth has obtained for VMs.", points: points))
  }

  private mutating func addCounters(of samples: [NamedSample]) {
    var ran: [Point] = []
    var waited: [Point] = []
    var preemptions: [Point] = []
    var migrations: [Point] = []
    for named in samples {
      for thread in named.sample.threads {
        guard case .vcpu(let number) = thread.thread.role else { continue }
        let labels = [
          Label(name: "domain", value: named.name), Label(name: "vcpu", value: "\(number)"),
        ]
        ran.append(Point(labels: labels, value: Self.seconds(thread.ran)))
        waited.append(Point(labels: labels, value: Self.seconds(thread.waited)))
        preemptions.append(Point(labels: labels, value: "\(thread.preemptions)"))
        if let count = thread.migrations {
          migrations.append(Point(labels: labels, value: "\(count)"))
        }
      }
    }
    add("berth_vcpu_run_seconds_total", "Time that a vCPU was on a CPU.", ran)
    add("berth_vcpu_wait_seconds_total", "Time that a vCPU could run and had no CPU.", waited)
    add("berth_vcpu_preemptions_total", "How often another task took a vCPU's CPU.", preemptions)
    add("berth_vcpu_migrations_total", "How often a vCPU changed its CPU.", migrations)
  }

  private mutating func add(_ name: String, _ help: String, _ points: [Point]) {
    families.append(Family(name: name, kind: "counter", help: help, points: points))
  }

  var text: String {
    families.filter { !$0.points.isEmpty }.map(Self.text).joined()
  }

  private static func text(of family: Family) -> String {
    var text = "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind)\n"
    var written: Set<[UInt8]> = []
    for point in family.points {
      let series = family.name + labels(point.labels)
      // Of two VMs of one name, as Proxmox lets there be, only one can be told: a file that names a
      // series twice is refused as a whole.
      guard written.insert(Array(series.utf8)).inserted else { continue }
      text += "\(series) \(point.value)\n"
    }
    return text
  }

  private static func labels(_ labels: [Label]) -> String {
    if labels.isEmpty { return "" }
    return "{"
      + labels.map { "\($0.name)=\"\(Escape.metricLabel($0.value))\"" }.joined(separator: ",") + "}"
  }

  private static func seconds(_ nanoseconds: UInt64) -> String {
    let fraction = "\(nanoseconds % 1_000_000_000)"
    let padding = String(repeating: "0", count: 9 - fraction.count)
    return "\(nanoseconds / 1_000_000_000).\(padding)\(fraction)"
  }
}
