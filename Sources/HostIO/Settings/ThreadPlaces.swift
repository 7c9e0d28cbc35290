internal import HostModel

/// The CPUs that one thread may run on.
struct AffinityPlace: Place {
  let kernel: any Kernel
  let thread: HostThread

  func read() throws(HostError) -> Value {
    try thread.recognize(by: kernel)
    return .cpus(try kernel.affinity(of: thread.tid))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .cpus(let cpus) = value else { throw misfit(value, at: "thread \(thread.tid)") }
    try thread.recognize(by: kernel)
    try kernel.setAffinity(cpus, of: thread.tid)
  }
}

/// The scheduling policy of one thread.
struct SchedulerPlace: Place {
  let kernel: any Kernel
  let thread: HostThread

  func read() throws(HostError) -> Value {
    try thread.recognize(by: kernel)
    return .scheduler(try kernel.scheduler(of: thread.tid))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .scheduler(let scheduler) = value else {
      throw misfit(value, at: "thread \(thread.tid)")
    }
    try thread.recognize(by: kernel)
    try kernel.setScheduler(scheduler, of: thread.tid)
  }
}

extension HostThread {
  /// - Throws: `ESRCH` where the number belongs to nobody, or to a thread that started later.
  fileprivate func recognize(by kernel: any KernelReader) throws(HostError) {
    let path = "/proc/\(pid)/task/\(tid)/stat"
    let stat = try kernel.text(of: path)
    guard ProcessStat(stat)?.startTime == startTime else {
      throw HostError(.read, path, errno: ErrorNumber.noSuchProcess.number)
    }
  }
}
