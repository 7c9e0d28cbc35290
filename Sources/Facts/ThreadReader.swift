internal import Bytes
internal import Formats
import HostModel
internal import Port

/// Looks at the threads of one QEMU.
struct ThreadReader {
  let kernel: any KernelReader
  let domain: Domain
  let pid: Int

  /// How often the list of threads is read at most, if new ones keep coming.
  private static let passes = 10

  /// The threads, ascending by TID; with those that the kernel has for them, where `processes` is
  /// there to be searched for these.
  ///
  /// A thread starts with the affinity of the one that made it, so that one which came after the
  /// list was read would be missed: the list is read until two readings agree.
  func threads(
    andWorkersAmong processes: ProcessTable?, onlyCPUs: Bool = false
  ) throws(HostError) -> [ThreadFacts] {
    var threads: [ThreadFacts] = []
    var known: [Int] = []
    for _ in 0..<Self.passes {
      let tids = try kernel.entriesIfPresent(of: "/proc/\(pid)/task")
        .compactMap(Quantity.process.number).sorted()
      if tids == known { break }
      threads.removeAll { !tids.contains($0.thread.tid) }
      for tid in tids where !known.contains(tid) {
        if let thread = try thread(tid, onlyCPUs) { threads.append(thread) }
      }
      known = tids
    }
    for worker in try processes?.workersOfQEMUs() ?? [] where known.contains(worker.owner) {
      let facts = try facts(of: worker.tid, worker.stat, owner: worker.tid, role: worker.role)
      if let facts { threads.append(facts) }
    }
    threads.sort { $0.thread.tid < $1.thread.tid }
    if domain.hypervisor == .proxmox { numberIOThreads(in: &threads) }
    return threads
  }

  /// One thread; nil where it is gone.
  private func thread(_ tid: Int, _ onlyCPUs: Bool) throws(HostError) -> ThreadFacts? {
    let path: HostPath = "/proc/\(pid)/task/\(tid)/stat"
    guard let stat = try ProcessReader(kernel: kernel).stat(at: path) else { return nil }
    return try facts(
      of: tid, stat, owner: pid, role: tid == pid ? .emulator : Self.role(of: stat.name), onlyCPUs)
  }

  private func facts(
    of tid: Int, _ stat: ProcessStat, owner: Int, role: ThreadRole, _ onlyCPUs: Bool = false
  ) throws(HostError) -> ThreadFacts? {
    try kernel.ifPresent { () throws(HostError) -> ThreadFacts in
      ThreadFacts(
        thread: HostThread(pid: owner, tid: tid, startTime: stat.startTime, role: role),
        name: stat.name,
        affinity: try kernel.affinity(of: tid),
        scheduler: onlyCPUs ? .standard : try kernel.scheduler(of: tid))
    }
  }

  /// What QEMU and KVM call their threads, with `debug-threads=on`.
  static func role(of name: String) -> ThreadRole {
    if let head = name.cut(at: "/")?.head, let number = String(head).number(after: "CPU ") {
      return .vcpu(number)
    }
    if let number = name.number(after: "IO iothread") { return .iothread(number) }
    return name.begins(with: "vhost-") ? .vhost : .worker
  }

  /// Tells the iothreads of Proxmox apart.
  ///
  /// Proxmox names them after their disks (`iothread-virtioscsi0`), and of those names `comm` has
  /// room for the common beginning only. QEMU makes them in the order of its arguments, so the
  /// n-th by TID is the domain's n-th.
  private func numberIOThreads(in threads: inout [ThreadFacts]) {
    var next = 0
    for index in threads.indices
    where threads[index].name.begins(with: "IO iothread-") {
      let ids = domain.iothreadIDs
      threads[index].thread.role = .iothread(next < ids.count ? ids[next] : next + 1)
      next += 1
    }
  }
}
