internal import Bytes
internal import Formats
package import HostModel
package import Port

/// Finds the tasks whose CPUs the kernel forgets when it moves them off some.
///
/// Since Linux 6.2 a task's own affinity outlives a change of its cpuset (`user_cpus_ptr` in
/// kernel/sched/core.c), but for threads that the kernel itself has bound to a node. Before, no
/// task's does.
package struct TaskReader {
  let kernel: any KernelReader
  let version: KernelVersion

  package init(kernel: any KernelReader, version: KernelVersion) {
    self.kernel = kernel
    self.version = version
  }

  private static let mount = "/sys/fs/cgroup"
  /// The kernel refuses to change the CPUs of such a thread (`PF_NO_SETAFFINITY`).
  private static let isBoundForGood = 0x0400_0000

  /// The tasks, ascending by their numbers, that may run on fewer CPUs than their cpuset lets them.
  package func pinned() throws(HostError) -> [HostThread] {
    let everything = try effectiveCPUs(of: "")
    var pinned: [HostThread] = []
    for pid in try kernel.entries(of: "/proc").compactMap({ Int($0) }).sorted() {
      for tid in try threads(of: pid) {
        let task = try kernel.ifPresent { () throws(HostError) in
          try self.task(pid, tid, everything)
        }
        if let task = task ?? nil { pinned.append(task) }
      }
    }
    return pinned
  }

  private func threads(of pid: Int) throws(HostError) -> [Int] {
    if version >= KernelVersion(major: 6, minor: 2) { return [pid] }
    return try kernel.entriesIfPresent(of: "/proc/\(pid)/task").compactMap { Int($0) }.sorted()
  }

  /// The task, if it is pinned; asked first is what answers fastest.
  private func task(
    _ pid: Int, _ tid: Int, _ everything: CPUList
  ) throws(HostError) -> HostThread? {
    let cpus = try kernel.affinity(of: tid)
    if everything.isSubset(of: cpus) { return nil }
    guard let stat = try ProcessReader(kernel: kernel).stat(at: "/proc/\(pid)/task/\(tid)/stat"),
      stat.flags & Self.isBoundForGood == 0
    else { return nil }
    if stat.isKernelThread {
      // The thread of an interrupt follows that (kernel/irq/manage.c, `irq_thread_check_affinity`).
      let name = try kernel.wordIfPresent(of: "/proc/\(pid)/comm") ?? ""
      if name.begins(with: "irq/") { return nil }
    } else {
      // Of user tasks, those of a hypervisor are pinned by it, again and again.
      guard version < KernelVersion(major: 6, minor: 2),
        let group = try kernel.cgroup(at: "/proc/\(pid)/task/\(tid)/cgroup"),
        !group.begins(with: "machine.slice/"), !group.begins(with: "qemu.slice/"),
        try !effectiveCPUs(of: group).isSubset(of: cpus)
      else { return nil }
    }
    return HostThread(pid: pid, tid: tid, startTime: stat.startTime, role: .foreign)
  }

  /// The CPUs that a cgroup lets its tasks use: its own, or those of the nearest group above it
  /// that has the cpuset controller.
  private func effectiveCPUs(of group: String) throws(HostError) -> CPUList {
    var parts = group.fields(at: "/")
    while true {
      let path = ([Self.mount] + parts.map(String.init)).joined(separator: "/")
      let list = try kernel.ifPresent { () throws(HostError) in
        try kernel.list(of: path + "/cpuset.cpus.effective")
      }
      if let list { return list }
      // Without the controller at the root, every task may use what is online.
      if parts.isEmpty { return try kernel.list(of: "/sys/devices/system/cpu/online") }
      parts.removeLast()
    }
  }
}
