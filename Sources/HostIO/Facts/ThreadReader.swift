import HostModel

/// Looks at the threads of one QEMU.
struct ThreadReader {
  let kernel: any KernelReader
  let domain: Domain
  let pid: Int

  /// How often the list of threads is read at most, if new ones keep coming.
  private static let passes = 10

  /// The threads, ascending by TID.
  ///
  /// A thread starts with the affinity of the one that made it, so that one which came after the
  /// list was read would be missed: the list is read until two readings agree.
  func threads(
    includingKernelThreads: Bool, onlyCPUs: Bool = false
  ) throws(HostError) -> [ThreadFacts] {
    var threads: [ThreadFacts] = []
    var known: [Int] = []
    for _ in 0..<Self.passes {
      let tids = try kernel.entriesIfPresent(of: "/proc/\(pid)/task")
        .compactMap { Int($0) }.sorted()
      if tids == known { break }
      threads.removeAll { !tids.contains($0.thread.tid) }
      for tid in tids where !known.contains(tid) {
        if let thread = try thread(tid, onlyCPUs) { threads.append(thread) }
      }
      known = tids
    }
    if includingKernelThreads { threads += try kernelThreads(of: known) }
    threads.sort { $0.thread.tid < $1.thread.tid }
    if domain.hypervisor == .proxmox { numberIOThreads(in: &threads) }
    return threads
  }

  /// One thread; nil where it is gone.
  private func thread(_ tid: Int, _ onlyCPUs: Bool) throws(HostError) -> ThreadFacts? {
    let directory = "/proc/\(pid)/task/\(tid)"
    guard let name = try kernel.wordIfPresent(of: "\(directory)/comm") else { return nil }
    return try facts(
      of: tid, in: directory, owner: pid, name: name,
      role: tid == pid ? .emulator : role(of: name), onlyCPUs)
  }

  private func facts(
    of tid: Int, in directory: String, owner: Int, name: String, role: ThreadRole,
    _ onlyCPUs: Bool = false
  ) throws(HostError) -> ThreadFacts? {
    try kernel.ifPresent { () throws(HostError) -> ThreadFacts? in
      guard let stat = try ProcessReader(kernel: kernel).stat(at: "\(directory)/stat")
      else { return nil }
      return ThreadFacts(
        thread: HostThread(pid: owner, tid: tid, startTime: stat.startTime, role: role),
        name: name,
        affinity: try kernel.affinity(of: tid),
        scheduler: onlyCPUs ? .standard : try kernel.scheduler(of: tid))
    } ?? nil
  }

  /// What QEMU and KVM call their threads, with `debug-threads=on`.
  private func role(of name: String) -> ThreadRole {
    if let slash = name.firstIndex(of: "/"),
      let number = String(name[..<slash]).number(after: "CPU ")
    {
      return .vcpu(number)
    }
    if let number = name.number(after: "IO iothread") { return .iothread(number) }
    return name.hasPrefix("vhost-") ? .vhost : .worker
  }

  /// Tells the iothreads of Proxmox apart.
  ///
  /// Proxmox names them after their disks (`iothread-virtioscsi0`), and of those names `comm` has
  /// room for the common beginning only. QEMU makes them in the order of its arguments, so the
  /// n-th by TID is the domain's n-th.
  private func numberIOThreads(in threads: inout [ThreadFacts]) {
    var next = 0
    for index in threads.indices where threads[index].name.hasPrefix("IO iothread-") {
      let ids = domain.iothreadIDs
      threads[index].thread.role = .iothread(next < ids.count ? ids[next] : next + 1)
      next += 1
    }
  }

  /// The kernel threads that work for this QEMU: vhost before Linux 6.4.
  ///
  /// `vhost-N` carries the number of the thread that opened the device. The names are looked for
  /// in all of `/proc`, among kernel threads only: a process may call itself whatever it likes.
  private func kernelThreads(of tids: [Int]) throws(HostError) -> [ThreadFacts] {
    var threads: [ThreadFacts] = []
    for tid in try kernel.entries(of: "/proc").compactMap({ Int($0) }) {
      let directory = "/proc/\(tid)"
      guard let name = try kernel.wordIfPresent(of: "\(directory)/comm") else { continue }
      let owner = name.number(after: "vhost-") ?? name.number(after: "kvm-pit/")
      guard let owner, tids.contains(owner),
        try ProcessReader(kernel: kernel).stat(at: "\(directory)/stat")?.isKernelThread == true
      else { continue }
      let role: ThreadRole = name.hasPrefix("vhost-") ? .vhost : .worker
      if let thread = try facts(of: tid, in: directory, owner: tid, name: name, role: role) {
        threads.append(thread)
      }
    }
    return threads
  }
}
