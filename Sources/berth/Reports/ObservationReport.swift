internal import HostModel

/// What a VM got of the host for some seconds; written by `--record` and read by `--compare`.
struct ObservationReport: Codable {
  var domain: String
  var seconds: Double
  var threads: [Thread]
  var memory: [Memory]

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
}

extension ObservationReport {
  init(_ domain: String, _ observation: Observation, _ memory: [MemoryPlace]) {
    self.domain = domain
    seconds = observation.seconds
    threads = observation.threads.map(Thread.init).sorted { left, right in
      left.isVCPU && !right.isVCPU
    }
    self.memory = memory.map { Memory(node: $0.node, pageKiB: $0.pageKiB, kiB: $0.kiB) }
  }

  /// The share of its time that the average vCPU waits for a CPU, in percent of when it wants one.
  var waitingOfVCPUs: Double {
    let vcpus = threads.filter(\.isVCPU)
    let wanted = vcpus.reduce(0) { $0 + $1.running + $1.waiting }
    return wanted > 0 ? 100 * vcpus.reduce(0) { $0 + $1.waiting } / wanted : 0
  }

  var runningOfVCPUs: Double { average(\.running) }

  var preemptionsOfVCPUs: Double { average(\.preemptions) }

  var migrationsOfVCPUs: Double { average { $0.migrations ?? 0 } }

  var deviceInterruptsOfVCPUs: Double { average { $0.deviceInterrupts ?? 0 } }

  var timerInterruptsOfVCPUs: Double { average { $0.timerInterrupts ?? 0 } }

  private func average(_ value: (Thread) -> Double) -> Double {
    let vcpus = threads.filter(\.isVCPU)
    return vcpus.isEmpty ? 0 : vcpus.reduce(0) { $0 + value($1) } / Double(vcpus.count)
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

/// With two decimals, one or none, as large as it is.
func decimal(_ value: Double) -> String {
  let (scale, digits) = value < 10 ? (100.0, 2) : value < 100 ? (10.0, 1) : (1.0, 0)
  let scaled = Int((min(max(value, 0), 1e15) * scale).rounded())
  guard digits > 0 else { return "\(scaled)" }
  let fraction = "\(scaled % Int(scale))"
  let padding = String(repeating: "0", count: digits - fraction.count)
  return "\(scaled / Int(scale)).\(padding)\(fraction)"
}
