internal import Bytes
internal import Formats
import HostModel
internal import Port

/// One thread of a recorded host.
///
/// Its affinity is the line `Cpus_allowed_list:` of its `status`, its scheduler the fields 40
/// (priority) and 41 (policy) of its `stat`. Procfs does not show `SCHED_RESET_ON_FORK`: where it
/// is set, the folder of the thread holds a file `reset-on-fork` that no kernel has, and `user-cpus`
/// where it is in the root cgroup and its affinity counts again after partitions (`user_cpus_ptr`).
struct RecordedThread {
  let tid: Int
  let directory: HostPath
  let tree: RecordedTree
  private let operation: HostOperation

  /// - Throws: `ESRCH` where no such thread is recorded.
  init(_ tid: Int, in tree: RecordedTree, for operation: HostOperation) throws(HostError) {
    self.tid = tid
    self.tree = tree
    self.operation = operation
    let folder = try tree.threads.folder(of: tid, in: tree, isOnlyRead: operation == .read)
    guard let folder else {
      throw HostError(operation, "thread \(tid)", errno: ErrorNumber.noSuchProcess.number)
    }
    directory = folder
  }

  /// The thread in a folder that holds its `status`.
  private init(_ tid: Int, at directory: HostPath, in tree: RecordedTree) {
    self.tid = tid
    self.directory = directory
    self.tree = tree
    operation = .read
  }

  /// The CPUs that a thread may use.
  ///
  /// A pass over all threads asks for each: where a process's own thread would be, its file is read
  /// at once, and the folder is searched for only where that is missing.
  static func affinity(of tid: Int, in tree: RecordedTree) throws(HostError) -> CPUList {
    if let folder = tree.threads.likelyFolder(of: tid),
      let status = try tree.textIfPresent(of: "\(folder)/status")
    {
      return try RecordedThread(tid, at: folder, in: tree).affinity(in: status)
    }
    let thread = try RecordedThread(tid, in: tree, for: .read)
    return try thread.affinity(in: tree.text(of: "\(thread.directory)/status"))
  }

  /// What was last set, as far as the thread's cgroup may use it; all that the cgroup may use
  /// where nothing is left (kernels from 6.2 on remember what was set).
  private func affinity(in status: String) throws(HostError) -> CPUList {
    guard let set = Self.allowedCPUs(in: status) else {
      throw HostError(.read, "\(directory)/status", diagnosis: "no line Cpus_allowed_list:")
    }
    guard let cpuset = try cpuset() else { return set }
    let effective = set.intersection(cpuset)
    return effective.isEmpty ? cpuset : effective
  }

  /// - Throws: `EINVAL` where the cgroup may use none of the CPUs, and for a kernel thread that
  ///   stays where it is (`PF_NO_SETAFFINITY`).
  func setAffinity(_ cpus: CPUList) throws(HostError) {
    let online = try tree.list(of: "/sys/devices/system/cpu/online")
    let effective = cpus.intersection(try cpuset() ?? online).intersection(online)
    let isBound = try stat().isBoundByKernel
    if effective.isEmpty || isBound {
      throw HostError(
        .write, "CPUs of thread \(tid)", value: "\(cpus)", errno: ErrorNumber.invalid.number)
    }
    // What was asked for counts again once the cgroup has it (`user_cpus_ptr`, 6.2).
    let version = try RecordedKernel(root: tree.root).version()
    guard version >= KernelVersion(major: 6, minor: 2) else { return try put(effective) }
    let possible = try tree.list(of: "/sys/devices/system/cpu/possible")
    guard try isInRootGroup() else { return try put(cpus.intersection(possible)) }
    try put(cpus.intersection(allOfRootGroup()))
    // Every CPU is as good as nothing set.
    if possible.isSubset(of: cpus) { return try tree.remove(memory) }
    try tree.create("\(cpus.intersection(possible))\n", at: memory)
  }

  private var memory: HostPath { "\(directory)/user-cpus" }

  private func isInRootGroup() throws(HostError) -> Bool {
    let groups = try tree.textIfPresent(of: "\(directory)/cgroup") ?? ""
    return groups.lines.contains { $0.rest(after: "0::/")?.isEmpty ?? false }
  }

  /// All CPUs but those of partitions, also those that are offline: who is in the root's cpuset keeps them
  /// for when they come (kernel/cgroup/cpuset.c, `cpuset_cpus_allowed()` since 6.3).
  private func allOfRootGroup() throws(HostError) -> CPUList {
    let online = try tree.list(of: "/sys/devices/system/cpu/online")
    let taken = online.subtracting(try cpuset() ?? online)
    return try tree.list(of: "/sys/devices/system/cpu/possible").subtracting(taken)
  }

  private func put(_ effective: CPUList) throws(HostError) {
    let lines = try tree.text(of: "\(directory)/status")
      .fields(at: "\n", keepingEmpty: true)
    let changed = lines.map { line in
      if line.begins(with: "Cpus_allowed_list:") { return "Cpus_allowed_list:\t\(effective)" }
      return line.begins(with: "Cpus_allowed:") ? "Cpus_allowed:\t\(effective.mask)" : String(line)
    }
    try tree.replace(changed.joined(separator: "\n"), at: "\(directory)/status")
  }

  /// Gives each thread all CPUs of its cpuset, where that has changed.
  ///
  /// `cpusets` tells which CPUs cgroups may use, by their paths below the root.
  static func followCpusets(
    _ cpusets: [String: CPUList], since before: [String: CPUList], in tree: RecordedTree
  ) throws(HostError) {
    for thread in try all(in: tree) {
      let groups = try tree.textIfPresent(of: "\(thread.directory)/cgroup") ?? ""
      guard var path = groups.lines.compactMap({ $0.rest(after: "0::/") }).first else { continue }
      while !path.isEmpty, cpusets[String(path)] == nil {
        path = path.cutLast(at: "/")?.head ?? ""
      }
      let group = String(path)
      guard !group.isEmpty, let cpus = cpusets[group], cpus != before[group],
        try !thread.stat().isBoundByKernel
      else { continue }
      try thread.put(cpus)
    }
  }

  /// Lets each thread of the root cgroup that has no CPU left run on any.
  static func freeThoseWithoutCPU(_ online: CPUList, in tree: RecordedTree) throws(HostError) {
    let possible = try tree.list(of: "/sys/devices/system/cpu/possible")
    for thread in try all(in: tree) {
      let groups = try tree.textIfPresent(of: "\(thread.directory)/cgroup") ?? ""
      let status = try tree.textIfPresent(of: "\(thread.directory)/status") ?? ""
      guard groups.lines.contains(where: { $0 == "0::/" }), let set = allowedCPUs(in: status),
        set.isDisjoint(with: online), try !thread.stat().isBoundByKernel
      else { continue }
      try thread.put(possible)
    }
  }

  /// Gives each thread of the root cgroup all CPUs that no partition has, of those that somebody has set
  /// for it: what the kernel itself chose for a thread, such as a node's CPUs, is forgotten
  /// (kernel/cgroup/cpuset.c, `update_tasks_cpumask()` of `top_cpuset`), up to Linux 6.19 (“kthread: Honour
  /// kthreads preferred affinity after cpuset changes”).
  static func followPartitions(_ taken: CPUList, in tree: RecordedTree) throws(HostError) {
    let left = try tree.list(of: "/sys/devices/system/cpu/possible").subtracting(taken)
    let version = try RecordedKernel(root: tree.root).version()
    let isForgotten = version < KernelVersion(major: 7, minor: 0)
    for thread in try all(in: tree) {
      guard try thread.isInRootGroup(), try !thread.stat().isBoundByKernel else { continue }
      if !isForgotten, !tree.exists(thread.memory) {
        let status = try tree.text(of: "\(thread.directory)/status")
        try tree.create("\(allowedCPUs(in: status) ?? left)\n", at: thread.memory)
      }
      let set = try tree.exists(thread.memory) ? tree.list(of: thread.memory) : left
      let mask = left.intersection(set)
      try thread.put(mask.isEmpty ? left : mask)
    }
  }

  private static func all(in tree: RecordedTree) throws(HostError) -> [RecordedThread] {
    guard tree.exists("/proc") else { return [] }
    var threads: [RecordedThread] = []
    for pid in try tree.entries(of: "/proc").compactMap(Quantity.process.number).sorted() {
      let tasks: HostPath = "/proc/\(pid)/task"
      for tid in try tree.exists(tasks)
        ? tree.entries(of: tasks).compactMap(Quantity.process.number) : []
      {
        threads.append(RecordedThread(tid, at: "\(tasks)/\(tid)", in: tree))
      }
    }
    return threads
  }

  func scheduler() throws(HostError) -> ThreadScheduler {
    let fields = try statFields()
    return ThreadScheduler(
      policy: Int(fields.list[38]) ?? 0, priority: Int(fields.list[37]) ?? 0,
      resetsOnFork: tree.exists("\(directory)/reset-on-fork"))
  }

  /// - Throws: `EINVAL` for a priority that the policy does not have (sched(7)).
  func setScheduler(_ scheduler: ThreadScheduler) throws(HostError) {
    let isRealtime = scheduler.policy == 1 || scheduler.policy == 2
    let priorities = isRealtime ? 1...99 : 0...0
    guard [0, 1, 2, 3, 5].contains(scheduler.policy), priorities.contains(scheduler.priority)
    else {
      throw HostError(
        .write, "scheduler of thread \(tid)", value: "\(scheduler)",
        errno: ErrorNumber.invalid.number)
    }
    var fields = try statFields()
    fields.list[37] = "\(scheduler.priority)"
    fields.list[38] = "\(scheduler.policy)"
    try tree.replace(
      fields.name + " " + fields.list.joined(separator: " ") + "\n", at: "\(directory)/stat")
    let mark: HostPath = "\(directory)/reset-on-fork"
    if scheduler.resetsOnFork { try tree.create("", at: mark) } else { try tree.remove(mark) }
  }

  /// What the file `core-cookie` of the thread's folder says, which no kernel has; 0 without it.
  func coreCookie() throws(HostError) -> UInt64 {
    let path: HostPath = "\(directory)/core-cookie"
    guard tree.exists(path) else { return 0 }
    return UInt64(try tree.text(of: path).trimmed) ?? 0
  }

  func setCoreCookie(_ cookie: UInt64) throws(HostError) {
    let path: HostPath = "\(directory)/core-cookie"
    if cookie == 0 { try tree.remove(path) } else { try tree.create("\(cookie)\n", at: path) }
  }

  /// The first line `Cpus_allowed_list:` that holds a list.
  private static func allowedCPUs(in status: String) -> CPUList? {
    let key: StaticString = "Cpus_allowed_list:"
    let text = status.utf8.span
    var start = 0
    while start < text.count {
      let end = text.firstIndex(of: UInt8(ascii: "\n"), from: start) ?? text.count
      if text.has(key, at: start) {
        let list = text.text(in: (start + key.utf8CodeUnitCount)..<end)
        if let cpus = try? CPUList(parsing: list) { return cpus }
      }
      start = end + 1
    }
    return nil
  }

  /// What the nearest cgroup with a cpuset may use; nil where the thread is in none.
  private func cpuset() throws(HostError) -> CPUList? {
    let groups = try tree.textIfPresent(of: "\(directory)/cgroup") ?? ""
    return try tree.memory.cpuset(of: groups) { () throws(HostError) in try cpuset(of: groups) }
  }

  private func cpuset(of groups: String) throws(HostError) -> CPUList? {
    guard let path = groups.lines.compactMap({ $0.rest(after: "0::/") }).first else { return nil }
    var group: HostPath = "\(CPUSets.root)/\(below: path)"
    while true {
      let file: HostPath = "\(group)/cpuset.cpus.effective"
      if let text = try tree.textIfPresent(of: file) { return try tree.list(in: text, at: file) }
      if group == CPUSets.root || group.leadsNowhere { return nil }
      group = group.parent
    }
  }

  private func stat() throws(HostError) -> ProcessStat {
    let path: HostPath = "\(directory)/stat"
    guard let stat = ProcessStat(try tree.text(of: path)) else {
      throw HostError(.read, path, diagnosis: "not the status of a thread")
    }
    return stat
  }

  /// The thread's number and name, and the fields of `stat` from the third on.
  private func statFields() throws(HostError) -> (name: String, list: [String]) {
    let path: HostPath = "\(directory)/stat"
    guard let (name, rest) = try tree.text(of: path).trimmed.cutLast(at: ")") else {
      throw HostError(.read, path, diagnosis: "not the status of a thread")
    }
    let list = rest.fields(at: " ").map(String.init)
    if list.count < 39 { throw HostError(.read, path, diagnosis: "no policy in field 41") }
    return (name + ")", list)
  }
}
