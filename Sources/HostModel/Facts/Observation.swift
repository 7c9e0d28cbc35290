/// What the threads of a running domain got of the host, counted from their start.
package struct Sample: Hashable, Sendable {
  package var moment: Deadline
  package var threads: [ThreadCounters] = []
  /// How often each CPU was interrupted since the boot, by CPU.
  package var interrupts: [Int: InterruptCounters] = [:]

  package init(moment: Deadline) { self.moment = moment }
}

/// Counters of one thread.
package struct ThreadCounters: Hashable, Sendable {
  package var thread: HostThread
  package var name: String
  package var affinity: CPUList
  /// Nanoseconds on a CPU, and runnable without one (`/proc/…/schedstat`).
  package var ran: UInt64
  package var waited: UInt64
  /// How often another task took its CPU (`nonvoluntary_ctxt_switches`).
  package var preemptions: UInt64
  /// How often it changed its CPU; nil where the kernel does not tell.
  package var migrations: UInt64?

  package init(
    thread: HostThread, name: String, affinity: CPUList, ran: UInt64, waited: UInt64,
    preemptions: UInt64, migrations: UInt64?
  ) {
    self.thread = thread
    self.name = name
    self.affinity = affinity
    self.ran = ran
    self.waited = waited
    self.preemptions = preemptions
    self.migrations = migrations
  }
}

/// What interrupted a CPU.
package struct InterruptCounters: Hashable, Sendable {
  /// Of devices.
  package var devices: UInt64 = 0
  /// The CPU's own timer.
  package var timer: UInt64 = 0
  /// Calls of other CPUs.
  package var calls: UInt64 = 0

  package init() {}
}

/// Where the memory of a domain is.
package struct MemoryPlace: Hashable, Sendable {
  package var node: Int
  package var pageKiB: Int
  package var kiB: Int

  package init(node: Int, pageKiB: Int, kiB: Int) {
    self.node = node
    self.pageKiB = pageKiB
    self.kiB = kiB
  }
}

/// What the threads of a domain got between two samples.
package struct Observation: Hashable, Sendable {
  package var seconds: Double
  package var threads: [ObservedThread]

  /// What came of two samples of one process.
  package init(from before: Sample, to after: Sample) {
    let nanoseconds = Double(after.moment.nanoseconds &- before.moment.nanoseconds)
    seconds = nanoseconds / 1e9
    let earlier = Dictionary(
      before.threads.map { ($0.thread, $0) }, uniquingKeysWith: { first, _ in first })
    // One that came or went meanwhile has no two counts to compare.
    threads = after.threads.compactMap { now in
      earlier[now.thread].map { ObservedThread($0, now, before, after, nanoseconds: nanoseconds) }
    }
  }
}

/// What one thread got, as shares of the time and counts per second.
package struct ObservedThread: Hashable, Sendable {
  package var role: ThreadRole
  package var name: String
  package var cpus: CPUList
  /// 0 to 1: on a CPU.
  package var ran: Double
  /// 0 to 1: runnable, and without one, which a guest sees as stolen time.
  package var waited: Double
  package var preemptions: Double
  package var migrations: Double?
  /// Of its CPU; nil for a thread that may use several.
  package var interrupts: ObservedInterrupts?
}

/// Interrupts of one CPU per second.
package struct ObservedInterrupts: Hashable, Sendable {
  package var devices: Double
  package var timer: Double
  package var calls: Double
}

extension ObservedThread {
  fileprivate init(
    _ before: ThreadCounters, _ after: ThreadCounters, _ start: Sample, _ end: Sample,
    nanoseconds: Double
  ) {
    func rate(_ from: UInt64, _ to: UInt64) -> Double {
      nanoseconds > 0 && to > from ? Double(to - from) / nanoseconds * 1e9 : 0
    }
    role = after.thread.role
    name = after.name
    cpus = after.affinity
    ran = rate(before.ran, after.ran) / 1e9
    waited = rate(before.waited, after.waited) / 1e9
    preemptions = rate(before.preemptions, after.preemptions)
    migrations = before.migrations.flatMap { first in after.migrations.map { rate(first, $0) } }
    if cpus.count == 1, let cpu = cpus.first, let first = start.interrupts[cpu],
      let last = end.interrupts[cpu]
    {
      interrupts = ObservedInterrupts(
        devices: rate(first.devices, last.devices), timer: rate(first.timer, last.timer),
        calls: rate(first.calls, last.calls))
    }
  }
}
