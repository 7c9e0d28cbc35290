internal import Bytes
import HostModel
internal import Port

/// The cpusets of a recorded host, and which CPUs each of its cgroups may use.
struct CPUSets {
  static let root: HostPath = "/sys/fs/cgroup"

  let tree: RecordedTree

  /// The cgroups below one that have a cpuset.
  func children(of group: HostPath) throws(HostError) -> [HostPath] {
    try tree.entries(of: group)
      // Its own files, of which there are more than groups.
      .filter { !$0.begins(with: "cpuset.") && !$0.begins(with: "cgroup.") }
      .map { "\(group)/\($0)" }
      .filter { tree.exists("\($0)/cpuset.cpus.effective") }
  }

  /// Works out again what every cgroup may use, from what each of them asks for, and has tasks follow that.
  ///
  /// Up to Linux 6.1 they forget with it what was set (kernel/cgroup/cpuset.c, `update_tasks_cpumask()`).
  /// Those of the root cgroup follow partitions that come and go, and not CPUs that do, unless partitions
  /// `haveEnded` with those (`cpuset_handle_hotplug()`).
  func update(isHotplug: Bool = false, haveEnded: Bool = false) throws(HostError) {
    if !tree.exists("\(Self.root)/cpuset.cpus.effective") { return }
    let version = try RecordedKernel(root: tree.root).version()
    let forgets = version < KernelVersion(major: 6, minor: 2)
    let before = forgets ? try effectiveCPUs() : [:]
    let online = try tree.list(of: "/sys/devices/system/cpu/online")
    let taken = try partitions(below: Self.root)
    let all = taken.reduce(CPUList()) { $0.union($1.cpus) }
    // What the kernel was started without is isolated by whoever has it (`cpuset_init()`, 6.8).
    let isolated = taken.filter(\.isIsolated).reduce(try bootIsolatedCPUs()) { $0.union($1.cpus) }
    let left = online.subtracting(all)
    let last = try tree.list(of: "\(Self.root)/cpuset.cpus.effective")
    if haveEnded || !isHotplug && left != last {
      try RecordedThread.followPartitions(all, in: tree)
    }
    try put(left, at: "\(Self.root)/cpuset.cpus.effective")
    try put(isolated, at: "\(Self.root)/cpuset.cpus.isolated")
    for child in try children(of: Self.root) { try update(child, within: left, online: online) }
    if forgets {
      try RecordedThread.followCpusets(effectiveCPUs(), since: before, in: tree)
    }
  }

  /// What each cgroup may use, by its path below the root; that of the root is empty.
  func effectiveCPUs() throws(HostError) -> [String: CPUList] {
    var cpus: [String: CPUList] = [:]
    try collect(Self.root, into: &cpus)
    return cpus
  }

  private func collect(_ group: HostPath, into cpus: inout [String: CPUList]) throws(HostError) {
    cpus[group.below(Self.root)] = try tree.list(of: "\(group)/cpuset.cpus.effective")
    for child in try children(of: group) { try collect(child, into: &cpus) }
  }

  private struct Partition {
    var group: HostPath
    var cpus: CPUList
    var isIsolated: Bool
  }

  private func partition(of group: HostPath) throws(HostError) -> Partition? {
    let path: HostPath = "\(group)/cpuset.cpus.partition"
    guard tree.exists(path) else { return nil }
    let word = try tree.text(of: path).trimmed
    if word != "isolated" && word != "root" { return nil }
    return Partition(
      group: group, cpus: try exclusiveCPUs(of: group), isIsolated: word == "isolated")
  }

  /// Whether a cgroup is a partition that stands.
  func isPartition(_ group: HostPath) throws(HostError) -> Bool {
    try partition(of: group) != nil
  }

  /// What a cgroup has, or would have, as a partition: what it names as exclusive, and all of
  /// `cpuset.cpus` where it names nothing (kernel/cgroup/cpuset.c, `user_xcpus()`).
  func exclusiveCPUs(of group: HostPath) throws(HostError) -> CPUList {
    let path: HostPath = "\(group)/cpuset.cpus.exclusive"
    let cpus = try tree.exists(path) ? tree.list(of: path) : []
    return cpus.isEmpty ? try tree.list(of: "\(group)/cpuset.cpus") : cpus
  }

  /// The CPUs of all partitions but one, or of all.
  func partitionedCPUs(besides group: HostPath? = nil) throws(HostError) -> CPUList {
    try partitions(below: Self.root).reduce(CPUList()) { cpus, partition in
      partition.group == group ? cpus : cpus.union(partition.cpus)
    }
  }

  /// The CPUs that `isolcpus=` keeps the scheduler off, of the command line: what sysfs calls isolated
  /// follows partitions on later kernels (kernel/sched/isolation.c, `housekeeping_isolcpus_setup()`).
  func bootIsolatedCPUs() throws(HostError) -> CPUList {
    let line = try tree.textIfPresent(of: "/proc/cmdline")?.trimmed ?? ""
    guard let word = line.fields(at: " ").last(where: { $0.begins(with: "isolcpus=") }) else {
      return []
    }
    let parts = (word.rest(after: "isolcpus=") ?? "").fields(at: ",")
    let flags = parts.prefix { $0.utf8.first.map { !$0.isDigit } ?? true }
    guard flags.isEmpty || flags.contains(where: { $0 == "domain" }) else { return [] }
    let list = parts.dropFirst(flags.count).joined(separator: ",")
    return (try? CPUList(parsing: list)) ?? []
  }

  private func partitions(below group: HostPath) throws(HostError) -> [Partition] {
    var found: [Partition] = []
    for child in try children(of: group) {
      if let partition = try partition(of: child) { found.append(partition) }
      found += try partitions(below: child)
    }
    return found
  }

  private func update(
    _ group: HostPath, within parent: CPUList, online: CPUList
  ) throws(HostError) {
    var effective: CPUList
    if let partition = try partition(of: group) {
      effective = partition.cpus.intersection(online)
    } else {
      effective = try tree.list(of: "\(group)/cpuset.cpus").intersection(parent)
      if effective.isEmpty { effective = parent }
    }
    try put(effective, at: "\(group)/cpuset.cpus.effective")
    for child in try children(of: group) { try update(child, within: effective, online: online) }
  }

  private func put(_ cpus: CPUList, at path: HostPath) throws(HostError) {
    guard let text = try tree.textIfPresent(of: path), text != "\(cpus)\n" else { return }
    try tree.replace("\(cpus)\n", at: path)
  }
}
