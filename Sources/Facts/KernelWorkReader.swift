internal import Bytes
internal import Formats
import HostModel
internal import Port

/// Finds the kernel's own threads that may be moved, and the masks of its unbound work.
struct KernelWorkReader {
  let kernel: any KernelReader
  let processes: ProcessTable

  func read() throws(HostError) -> KernelWorkFacts {
    var facts = KernelWorkFacts()
    for pid in try processes.numbers() {
      let thread = processes.skippingFailure { () throws(HostError) in try self.thread(pid) }
      if let thread { facts.threads.append(thread) }
    }
    for name in ["cpumask", "writeback/cpumask"] {
      let path: HostPath = "\(KernelPath.workqueues)/\(below: name)"
      var mask = try kernel.wordIfPresent(of: "\(path)_requested")
      if mask == nil { mask = try kernel.wordIfPresent(of: path) }
      guard let mask, let cpus = try? CPUList(parsingMask: mask)
      else { continue }
      facts.queues.append(WorkqueueFacts(path: path.description, cpus: cpus))
    }
    facts.isPartitioned = try isPartitioned()
    return facts
  }

  /// The thread, if it is one of the kernel's and in nobody's cgroup.
  ///
  /// All `kworker/*` stay where the kernel put them. Up to Linux 6.3 the threads of vhost are in the
  /// cgroup of their VM.
  private func thread(_ pid: Int) throws(HostError) -> KernelThreadFacts? {
    guard let stat = processes.stat(of: pid), stat.isKernelThread, !stat.isBoundByKernel,
      !stat.isOfInterrupt, try kernel.cgroup(at: "/proc/\(pid)/cgroup")?.isEmpty == true
    else { return nil }
    return KernelThreadFacts(
      thread: HostThread(pid: pid, tid: pid, startTime: stat.startTime, role: .foreign),
      name: stat.name, cpus: try kernel.affinity(of: pid))
  }

  /// Whether the root cgroup may use less than what is online.
  private func isPartitioned() throws(HostError) -> Bool {
    let effective: HostPath = "/sys/fs/cgroup/cpuset.cpus.effective"
    guard let text = try kernel.wordIfPresent(of: effective),
      let cpus = try? CPUList(parsing: text)
    else { return false }
    return !(try kernel.list(of: "/sys/devices/system/cpu/online")).isSubset(of: cpus)
  }
}
