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
  private let processes: ProcessTable

  package init(kernel: any KernelReader, version: KernelVersion) {
    self.init(kernel: kernel, version: version, processes: ProcessTable(kernel: kernel))
  }

  init(kernel: any KernelReader, version: KernelVersion, processes: ProcessTable) {
    self.kernel = kernel
    self.version = version
    self.processes = processes
  }

  private static let mount: HostPath = "/sys/fs/cgroup"

  /// Whether tasks keep their own affinity.
  private var remembersAffinity: Bool { version >= KernelVersion(major: 6, minor: 2) }

  /// The tasks, ascending by their numbers, that may run on fewer CPUs than their cpuset lets them.
  package func pinned() throws(HostError) -> [HostThread] {
    let everything = try effectiveCPUs(of: "")
    var pinned: [HostThread] = []
    for pid in try processes.numbers() {
      for tid in threads(of: pid) {
        let task = processes.skippingFailure { () throws(HostError) in
          try self.task(pid, tid, everything)
        }
        if let task { pinned.append(task) }
      }
    }
    return pinned
  }

  private func threads(of pid: Int) -> [Int] {
    if remembersAffinity { return [pid] }
    let names = processes.skippingFailure { () throws(HostError) in
      try kernel.entries(of: "/proc/\(pid)/task")
    }
    return (names ?? []).compactMap(Quantity.process.number).sorted()
  }

  /// The task, if it is pinned; asked first is what answers fastest.
  private func task(
    _ pid: Int, _ tid: Int, _ everything: CPUList
  ) throws(HostError) -> HostThread? {
    let cpus = try kernel.affinity(of: tid)
    if everything.isSubset(of: cpus) { return nil }
    guard let stat = try stat(pid, tid), !stat.isBoundByKernel else { return nil }
    if stat.isKernelThread {
      // The thread of an interrupt follows that (kernel/irq/manage.c, `irq_thread_check_affinity`).
      if stat.isOfInterrupt { return nil }
    } else {
      // Of user tasks, those of a hypervisor are pinned by it, again and again.
      guard !remembersAffinity,
        let group = try kernel.cgroup(at: "/proc/\(pid)/task/\(tid)/cgroup"),
        !group.begins(with: "machine.slice/"),
        !group.begins(with: "qemu.slice/"),
        try !effectiveCPUs(of: group).isSubset(of: cpus)
      else { return nil }
    }
    return HostThread(pid: pid, tid: tid, startTime: stat.startTime, role: .foreign)
  }

  private func stat(_ pid: Int, _ tid: Int) throws(HostError) -> ProcessStat? {
    if tid == pid { return processes.stat(of: pid) }
    return try ProcessReader(kernel: kernel).stat(at: "/proc/\(pid)/task/\(tid)/stat")
  }

  /// The CPUs that a cgroup lets its tasks use: its own, or those of the nearest group above it
  /// that has the cpuset controller.
  func effectiveCPUs(of group: String) throws(HostError) -> CPUList {
    var path: HostPath = "\(Self.mount)/\(below: group)"
    // A group outside of what is mounted here shows itself by `..`.
    if path.leadsNowhere { path = Self.mount }
    while true {
      let list = try kernel.ifPresent { () throws(HostError) in
        try kernel.list(of: "\(path)/cpuset.cpus.effective")
      }
      if let list { return list }
      // Without the controller at the root, every task may use what is online.
      if path == Self.mount { return try kernel.list(of: "/sys/devices/system/cpu/online") }
      path = path.parent
    }
  }
}

extension ProcessStat {
  /// Whether it is a thread that handles an interrupt, and goes where that goes.
  ///
  /// The name is that of `comm` (fs/proc/array.c, `proc_task_name()`).
  var isOfInterrupt: Bool { isKernelThread && name.begins(with: "irq/") }
}
