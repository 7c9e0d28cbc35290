internal import Bytes
internal import Formats
internal import HostModel
internal import Port

/// The CPUs that one thread may run on.
struct AffinityPlace: Place {
  let kernel: any Kernel
  let thread: HostThread

  func read(until deadline: Deadline) throws(HostError) -> Value {
    try thread.recognize(by: kernel)
    return .cpus(try kernel.affinity(of: thread.tid))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .cpus(let cpus) = value else { throw unsupported(value, at: "thread \(thread.tid)") }
    try thread.recognize(by: kernel)
    try kernel.setAffinity(try unlimited(cpus), of: thread.tid)
  }

  /// A kernel thread belongs to the root cgroup and may use what no partition has taken from that.
  func confinement() throws(HostError) -> CPUList? {
    guard thread.role == .foreign,
      try kernel.cgroup(at: "/proc/\(thread.pid)/cgroup")?.isEmpty == true
    else { return nil }
    let effective: HostPath = "/sys/fs/cgroup/cpuset.cpus.effective"
    return try kernel.ifPresent { () throws(HostError) in try kernel.list(of: effective) }
  }
}

extension AffinityPlace {
  /// With the CPUs that are offline for now, which the kernel keeps for the task and shows in its `status`
  /// alone: of what it tells by `sched_getaffinity()` it leaves them out (kernel/sched/syscalls.c,
  /// `sched_getaffinity()`; fs/proc/array.c, `task_cpus_allowed()`).
  func original(until deadline: Deadline) throws(HostError) -> Value {
    let shown = try read(until: deadline)
    guard case .cpus(let cpus) = shown, try confinement() != nil else { return shown }
    let status = try kernel.text(of: "/proc/\(thread.pid)/task/\(thread.tid)/status")
    let list = status.lines.compactMap { $0.rest(after: "Cpus_allowed_list:") }.first
    guard let kept = list.flatMap({ try? CPUList(parsing: String($0)) }), !kept.isSubset(of: cpus)
    else { return shown }
    let offline = try kernel.list(of: "/sys/devices/system/cpu/present")
      .subtracting(try kernel.list(of: "/sys/devices/system/cpu/online"))
    return .cpus(cpus.union(kept.intersection(offline)))
  }

  /// All CPUs that a kernel can have, for a task of the host that may run wherever a CPU is online.
  ///
  /// What is set is kept for good, and what can be read of it is only what is online: written back
  /// as it reads, it would keep the task off CPUs that come online later. A mask with every bit set
  /// is as good as none (kernel/sched/core.c, `__sched_setaffinity()`).
  private func unlimited(_ cpus: CPUList) throws(HostError) -> CPUList {
    guard thread.role == .foreign else { return cpus }
    let online = try kernel.list(of: "/sys/devices/system/cpu/online")
    return online.isSubset(of: cpus) ? CPUList(0..<CPUList.capacity) : cpus
  }
}

/// The scheduling policy of one thread.
struct SchedulerPlace: Place {
  let kernel: any Kernel
  let thread: HostThread

  func read(until deadline: Deadline) throws(HostError) -> Value {
    try thread.recognize(by: kernel)
    return .scheduler(try kernel.scheduler(of: thread.tid))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .scheduler(let scheduler) = value else {
      throw unsupported(value, at: "thread \(thread.tid)")
    }
    try thread.recognize(by: kernel)
    try kernel.setScheduler(scheduler, of: thread.tid)
  }
}

extension HostThread {
  /// - Throws: `ESRCH` where the number belongs to nobody, or to a thread that started later.
  fileprivate func recognize(by kernel: any KernelReader) throws(HostError) {
    let path: HostPath = "/proc/\(pid)/task/\(tid)/stat"
    let stat = try kernel.text(of: path)
    guard ProcessStat(stat)?.startTime == startTime else {
      throw HostError(.read, path, errno: ErrorNumber.noSuchProcess.number)
    }
  }
}
