internal import Bytes
package import HostModel
package import Port

/// Counts what the threads of a running domain get of the host.
package struct ObservationReader {
  private let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  /// The counters of the threads of a QEMU, and of the CPUs that they are pinned to.
  ///
  /// nil where the process has ended.
  package func sample(of process: QEMUFacts) throws(HostError) -> Sample? {
    var sample = Sample(moment: kernel.now)
    let pid = process.identity.pid
    guard try ProcessReader(kernel: kernel).identity(of: pid) == process.identity else {
      return nil
    }
    for thread in process.threads where thread.thread.pid == pid {
      if let counters = try counters(of: thread) { sample.threads.append(counters) }
    }
    // The file of a process that is ending stays until nobody can find the process any more.
    if sample.threads.isEmpty, !kernel.exists("/proc/\(pid)/schedstat"),
      try ProcessReader(kernel: kernel).identity(of: pid) != nil
    {
      throw HostError(
        .read, "/proc/\(pid)/schedstat", errno: ErrorNumber.notFound.number,
        diagnosis: "the kernel is built without CONFIG_SCHED_INFO and counts nothing of tasks")
    }
    let pinned = sample.threads.filter { $0.affinity.count == 1 }.compactMap(\.affinity.first)
    if !pinned.isEmpty {
      let table = try kernel.wordIfPresent(of: "/proc/interrupts") ?? ""
      sample.interrupts = Self.interrupts(in: table, of: CPUList(pinned))
    }
    return sample
  }

  /// nil for a thread that is gone.
  private func counters(of facts: ThreadFacts) throws(HostError) -> ThreadCounters? {
    let folder: HostPath = "/proc/\(facts.thread.pid)/task/\(facts.thread.tid)"
    // Three zeroes where the kernel keeps no such count.
    guard let schedstat = try kernel.wordIfPresent(of: "\(folder)/schedstat"),
      let status = try kernel.wordIfPresent(of: "\(folder)/status")
    else { return nil }
    let times = schedstat.fields(at: " ").compactMap { UInt64($0) }
    guard times.count >= 2 else { return nil }
    let scheduler = try kernel.wordIfPresent(of: "\(folder)/sched") ?? ""
    return ThreadCounters(
      thread: facts.thread, name: facts.name, affinity: facts.affinity, ran: times[0],
      waited: times[1], preemptions: Self.count("nonvoluntary_ctxt_switches", in: status) ?? 0,
      migrations: Self.count("se.nr_migrations", in: scheduler))
  }

  /// The number behind a name and a colon.
  private static func count(_ name: String, in text: String) -> UInt64? {
    for line in text.fields(at: "\n") where line.begins(with: name) {
      let rest = line.utf8.dropFirst(name.utf8.count).drop { " :\t".utf8.contains($0) }
      return rest.prefix(while: \.isDigit).decimal.map { UInt64($0) }
    }
    return nil
  }

  /// The columns of some CPUs in `/proc/interrupts`.
  ///
  /// The columns are those of the CPUs that are online, named in the first line. Rows that begin
  /// with a number are of devices; `LOC` is the timer, and the others that count here are calls
  /// between CPUs.
  static func interrupts(in table: String, of cpus: CPUList) -> [Int: InterruptCounters] {
    let lines = table.fields(at: "\n")
    let header = lines.first?.fields(at: " ") ?? []
    let columns = header.map { Quantity.cpu.number(in: String($0), after: "CPU") }
    var counters: [Int: InterruptCounters] = [:]
    for cpu in cpus where columns.contains(cpu) { counters[cpu] = InterruptCounters() }
    for line in lines.dropFirst() {
      let fields = line.fields(at: " ")
      guard let first = fields.first else { continue }
      let name = Substring(first.utf8.dropLast())
      for (index, column) in columns.enumerated() {
        guard let cpu = column, counters[cpu] != nil, index + 1 < fields.count,
          let count = UInt64(fields[index + 1])
        else { continue }
        if Int(name) != nil {
          counters[cpu]?.devices &+= count
        } else if name == "LOC" {
          counters[cpu]?.timer &+= count
        } else if ["RES", "CAL", "TLB"].contains(name) {
          counters[cpu]?.calls &+= count
        }
      }
    }
    return counters
  }

  /// The nodes that hold some of these CPUs, ascending.
  package func nodes(of cpus: CPUList) throws(HostError) -> [Int] {
    let folder: HostPath = "/sys/devices/system/node"
    var nodes: [Int] = []
    for name in try kernel.entriesIfPresent(of: folder) {
      guard let node = Quantity.node.number(in: name, after: "node") else { continue }
      let own = try kernel.ifPresent { () throws(HostError) in
        try kernel.list(of: "\(folder)/\(name)/cpulist")
      }
      if let own, !own.isDisjoint(with: cpus) { nodes.append(node) }
    }
    return nodes.sorted()
  }

  /// How much of a process's small pages the kernel has put together to huge ones, in KiB; nil where
  /// it does not tell, or not this user.
  package func transparentKiB(of process: ProcessIdentity) throws(HostError) -> Int? {
    let path: HostPath = "/proc/\(process.pid)/smaps_rollup"
    do throws(HostError) {
      guard let text = try kernel.wordIfPresent(of: path) else { return nil }
      return ["AnonHugePages", "ShmemPmdMapped"].compactMap { Self.count($0, in: text) }
        .reduce(0) { $0 + Int(clamping: $1) }
    } catch  where ErrorNumber(error.errno) == .accessDenied {
      return nil
    }
  }

  /// Where the pages of a process are, by node and page size, ascending.
  ///
  /// The kernel walks the page tables for it: milliseconds for huge pages, and seconds for a
  /// hundred gigabytes of small ones.
  package func memory(of process: ProcessIdentity) throws(HostError) -> [MemoryPlace] {
    let path: HostPath = "/proc/\(process.pid)/numa_maps"
    return Self.memory(in: try kernel.wordIfPresent(of: path) ?? "")
  }

  static func memory(in text: String) -> [MemoryPlace] {
    var pages: [Int: [Int: Int]] = [:]
    for line in text.fields(at: "\n") {
      let fields = line.fields(at: " ")
      let size = fields.compactMap { String($0).value(of: "kernelpagesize_kB") }.first ?? 4
      for field in fields.compactMap({ $0.rest(after: "N") }) {
        let parts = field.fields(at: "=", maxSplits: 1)
        guard parts.count == 2, let node = Quantity.node.number(parts[0]),
          let count = Quantity.pages.number(parts[1])
        else { continue }
        pages[node, default: [:]][size, default: 0] += HugepagePool.kibibytes(in: count, of: size)
      }
    }
    return pages.flatMap { node, sizes in
      sizes.map { MemoryPlace(node: node, pageKiB: $0.key, kiB: $0.value) }
    }.sorted { ($0.node, $0.pageKiB) < ($1.node, $1.pageKiB) }
  }
}

extension String {
  /// The number behind `name=`; nil for any other text.
  fileprivate func value(of name: String) -> Int? {
    rest(after: name + "=").flatMap { Quantity.pageKibibytes.number($0) }
  }
}
