internal import Bytes
internal import Formats
import HostModel
internal import Port

/// Finds the kernel's own threads that may be moved, and the masks of its unbound work.
struct KernelWorkReader {
  let kernel: any KernelReader

  /// The kernel refuses to change the CPUs of such a thread (`PF_NO_SETAFFINITY`).
  ///
  /// All `kworker/*` are among them.
  private static let isBoundForGood = 0x0400_0000

  func read() throws(HostError) -> KernelWorkFacts {
    var facts = KernelWorkFacts()
    for pid in try kernel.entries(of: "/proc").compactMap({ Int($0) }).sorted() {
      let thread = try kernel.ifPresent { () throws(HostError) in try self.thread(pid) }
      if let thread = thread ?? nil { facts.threads.append(thread) }
    }
    for name in ["cpumask", "writeback/cpumask"] {
      let path = KernelPath.workqueues + name
      var mask = try kernel.wordIfPresent(of: path + "_requested")
      if mask == nil { mask = try kernel.wordIfPresent(of: path) }
      guard let mask, let cpus = try? CPUList(parsingMask: mask)
      else { continue }
      facts.queues.append(WorkqueueFacts(path: path, cpus: cpus))
    }
    facts.isPartitioned = try isPartitioned()
    return facts
  }

  /// The thread, if it is one of the kernel's and in nobody's cgroup.
  ///
  /// Up to Linux 6.3 those of vhost are in that of their VM. The thread of an interrupt follows that.
  private func thread(_ pid: Int) throws(HostError) -> KernelThreadFacts? {
    guard let stat = try ProcessReader(kernel: kernel).stat(at: "/proc/\(pid)/stat"),
      stat.isKernelThread, stat.flags & Self.isBoundForGood == 0,
      try kernel.cgroup(at: "/proc/\(pid)/cgroup")?.isEmpty == true
    else { return nil }
    let name = try kernel.word(of: "/proc/\(pid)/comm")
    if name.begins(with: "irq/") { return nil }
    return KernelThreadFacts(
      thread: HostThread(pid: pid, tid: pid, startTime: stat.startTime, role: .foreign),
      name: name, cpus: try kernel.affinity(of: pid))
  }

  /// Whether the root cgroup may use less than what is online.
  private func isPartitioned() throws(HostError) -> Bool {
    let effective = "/sys/fs/cgroup/cpuset.cpus.effective"
    guard let text = try kernel.wordIfPresent(of: effective),
      let cpus = try? CPUList(parsing: text)
    else { return false }
    return !(try kernel.list(of: "/sys/devices/system/cpu/online")).isSubset(of: cpus)
  }
}
