internal import HostModel

/// What a VM got of the host for some seconds; written by `--record` and read by `--compare`.
struct ObservationReport: Codable {
  var domain: String
  var seconds: Double
  var threads: [Thread]
  var memory: [Memory]
  /// Missing where the memory could not be read, or the host has no nodes to speak of.
  var locality: Locality?
  /// What could not be found out, and why.
  var remarks: [String]?

  struct Thread: Codable {
    /// `vCPU 0`, `iothread 1`, `emulator`, or the thread's name.
    var name: String
    var isVCPU: Bool
    var cpus: String
    /// Percent of the time.
    var running: Double
    var waiting: Double
    /// Per second.
    var preemptions: Double
    var migrations: Double?
    var deviceInterrupts: Double?
    var timerInterrupts: Double?
    var calls: Double?
  }

  struct Memory: Codable {
    var node: Int
    var pageKiB: Int
    var kiB: Int
  }

  /// Where the memory is beside the vCPUs, in percent of all of it.
  struct Locality: Codable {
    /// The nodes of the CPUs that the vCPUs may use, as a list.
    var nodes: String
    var local: Double
    /// In pages of hugetlbfs or of transparent ones; missing where only root is told of the latter.
    var huge: Double?
  }
}

extension ObservationReport {
  /// What came of an observation, with where the pages are, the nodes of the vCPUs, and how much is
  /// in transparent huge pages; nil for unknown.
  init(
    _ domain: String, _ observation: Observation, _ memory: [MemoryPlace], nodes: [Int] = [],
    transparentKiB: Int? = nil
  ) {
    self.domain = domain
    seconds = observation.seconds
    threads = observation.threads.map(Thread.init).sorted { left, right in
      left.isVCPU && !right.isVCPU
    }
    self.memory = memory.map { Memory(node: $0.node, pageKiB: $0.pageKiB, kiB: $0.kiB) }
    locality = Locality(memory, nodes, transparentKiB)
    if !threads.isEmpty, observation.threads.allSatisfy({ $0.ran == 0 && $0.waited == 0 }) {
      remarks = [
        "no thread ran: the VM is paused, or the kernel counts nothing (CONFIG_SCHEDSTATS, or "
          + "delayacct at boot)"
      ]
    }
  }

  /// Whether all numbers are such as can be counted: a record may hold any.
  var isPlausible: Bool {
    let shares = [locality?.local, locality?.huge] + [seconds]
    let rates = threads.flatMap { thread -> [Double?] in
      [
        thread.running, thread.waiting, thread.preemptions, thread.migrations,
        thread.deviceInterrupts, thread.timerInterrupts, thread.calls,
      ]
    }
    return (shares + rates).allSatisfy { (0...1e15).contains($0 ?? 0) }
      && memory.allSatisfy { place in
        Quantity.node.range.contains(place.node) && Quantity.kibibytes.range.contains(place.kiB)
          && Quantity.pageKibibytes.range.contains(place.pageKiB)
      }
  }

  /// The share of its time that the average vCPU waits for a CPU, in percent of when it wants one.
  var waitingOfVCPUs: Double {
    let vcpus = threads.filter(\.isVCPU)
    let wanted = vcpus.reduce(0) { $0 + $1.running + $1.waiting }
    return wanted > 0 ? 100 * vcpus.reduce(0) { $0 + $1.waiting } / wanted : 0
  }

  var runningOfVCPUs: Double { average(\.running) ?? 0 }

  /// The share of the time that the average vCPU runs or would like to, in percent.
  var wantedOfVCPUs: Double { average { $0.running + $0.waiting } ?? 0 }

  var preemptionsOfVCPUs: Double { average(\.preemptions) ?? 0 }

  var migrationsOfVCPUs: Double? { average(\.migrations) }

  var deviceInterruptsOfVCPUs: Double? { average(\.deviceInterrupts) }

  var timerInterruptsOfVCPUs: Double? { average(\.timerInterrupts) }

  /// Of the vCPUs of which it is known; nil where it is of none.
  private func average(_ value: (Thread) -> Double?) -> Double? {
    let values = threads.filter(\.isVCPU).compactMap(value)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

extension ObservationReport.Thread {
  init(_ thread: ObservedThread) {
    if case .vcpu = thread.role { isVCPU = true } else { isVCPU = false }
    switch thread.role {
    case .vcpu, .iothread, .emulator: name = "\(thread.role)"
    case .vhost, .worker, .foreign: name = thread.name
    }
    cpus = "\(thread.cpus)"
    running = Self.rounded(thread.ran * 100)
    waiting = Self.rounded(thread.waited * 100)
    preemptions = Self.rounded(thread.preemptions)
    migrations = thread.migrations.map(Self.rounded)
    deviceInterrupts = thread.interrupts.map { Self.rounded($0.devices) }
    timerInterrupts = thread.interrupts.map { Self.rounded($0.timer) }
    calls = thread.interrupts.map { Self.rounded($0.calls) }
  }

  /// To what a clock can tell, so that a record holds no noise.
  private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}

extension ObservationReport {
  var lines: [Text] {
    var lines = [
      Text(name: domain, .bold)
        + Text(
          ": for \(decimal(seconds)) s, vCPUs waited \(decimal(waitingOfVCPUs)) % of the time that "
            + "they wanted a CPU")
    ]
    var table = Table()
    table.append(
      "", "CPUs", "runs", "waits", "taken/s", "moves/s", "devices/s", "timer/s", "calls/s")
    for thread in shown {
      table.append(
        Text(name: thread.name), Text(thread.cpus), Text("\(decimal(thread.running)) %"),
        Text("\(decimal(thread.waiting)) %", thread.waiting >= 1 ? .yellow : nil),
        Text(decimal(thread.preemptions)), Text(thread.migrations.map(decimal) ?? "-"),
        Text(thread.deviceInterrupts.map(decimal) ?? "-"),
        Text(thread.timerInterrupts.map(decimal) ?? "-"), Text(thread.calls.map(decimal) ?? "-"))
    }
    lines += table.lines(indent: 2)
    lines += memoryLines
    lines += (remarks ?? []).map { Text($0, .yellow) }
    return lines
  }

  /// The report in so many lines: what waited least is folded away; all of it for nil.
  func lines(height: Int?) -> [Text] {
    let all = lines
    guard let height, all.count > height, height > 4 else { return all }
    var narrow = self
    let room = height - (all.count - shown.count) - 1
    let ranked = shown.sorted { $0.waiting > $1.waiting }
    narrow.threads = Array(ranked.prefix(max(1, room)))
    let hidden = shown.count - narrow.threads.count
    let rest = Text("  and \(hidden) more threads, which waited less", .faint)
    return Array((narrow.lines + [rest]).prefix(height))
  }

  private var memoryLines: [Text] {
    var lines: [Text] = []
    if let locality {
      let isAway = locality.local < 99
      lines.append(
        Text("  \(decimal(locality.local)) %", isAway ? .yellow : .green)
          + Text(" of the memory is on the vCPUs' node \(locality.nodes)")
          + Text(locality.huge.map { ", \(decimal($0)) % in huge pages" } ?? ""))
    }
    for place in memory where place.kiB >= 1024 {
      lines.append(
        Text(
          "  \(place.kiB >> 10) MiB on node \(place.node) in pages of "
            + "\(PageSize(kiB: place.pageKiB))"))
    }
    return lines
  }

  /// The vCPUs, and of the others those that did something.
  private var shown: [Thread] { threads.filter { $0.isVCPU || $0.running + $0.waiting >= 0.05 } }
}

extension ObservationReport.Locality {
  /// Pages up to this are an architecture's smallest: 4, 16 or 64 KiB.
  private static let smallKiB = 64

  /// nil where nothing is known of the memory, or of the vCPUs' nodes.
  fileprivate init?(_ memory: [MemoryPlace], _ nodes: [Int], _ transparentKiB: Int?) {
    let all = memory.reduce(0) { $0 + $1.kiB }
    guard all > 0, !nodes.isEmpty else { return nil }
    func percent(_ kiB: Int) -> Double {
      (Double(min(kiB, all)) / Double(all) * 1e5).rounded() / 1e3
    }
    self.nodes = "\(CPUList(nodes))"
    local = percent(memory.filter { nodes.contains($0.node) }.reduce(0) { $0 + $1.kiB })
    let explicit = memory.filter { $0.pageKiB > Self.smallKiB }.reduce(0) { $0 + $1.kiB }
    // Where all is in explicit pages, there is nothing that the kernel could have put together.
    huge = transparentKiB.map { percent(explicit + $0) } ?? (explicit == all ? 100 : nil)
  }
}

/// With two decimals, one or none, as large as it is.
func decimal(_ value: Double) -> String {
  let (scale, digits) = value < 10 ? (100.0, 2) : value < 100 ? (10.0, 1) : (1.0, 0)
  let scaled = Int(nearest: min(max(value, 0), 1e15) * scale)
  guard digits > 0 else { return "\(scaled)" }
  let fraction = "\(scaled % Int(scale))"
  let padding = String(repeating: "0", count: digits - fraction.count)
  return "\(scaled / Int(scale)).\(padding)\(fraction)"
}
