internal import Bytes
import HostModel
internal import Port

/// Partitions of the host's CPUs: `cpuset.cpus.exclusive`, `cpuset.cpus.partition`.
///
/// - `cpuset.cpus.exclusive` that a sibling is in the way of is `EINVAL` (`validate_change()`): see
///   `CPUExclusivity`.
/// - `cpuset.cpus.partition` takes `member`, `root` and `isolated`; any other word is `EINVAL`.
/// - Asking for a partition that cannot be is no error of the write: the file then reads
///   `isolated invalid (…)`, with the reason out of `perr_strings` (`update_prstate()`). It cannot be
///   beside a sibling that may use its CPUs (up to Linux 6.19); where an ancestor does not hold the
///   CPUs exclusively or another partition has them (`remote_partition_enable()`); and, before Linux
///   6.11, where an ancestor's `cpuset.cpus` does not hold them (`compute_effective_exclusive_cpumask()`).
///   Without exclusive CPUs of its own, a group has those of `cpuset.cpus`. Before Linux 6.7 there are
///   partitions below others only (`update_parent_subparts_cpumask()`).
/// - CPUs of `isolcpus=` may be in `isolated` partitions only (`prstate_housekeeping_conflict()`): since
///   Linux 6.7 at the top of the hierarchy, since 6.19 anywhere (“cgroup/cpuset: Ensure domain isolated
///   CPUs stay in root or isolated partition”).
/// - One whose CPUs, its own or an ancestor's, are exclusive no more is invalid from there on
///   (`remote_cpus_update()`, `remote_partition_check()`).
/// - A partition takes its CPUs out of `cpuset.cpus.effective` of every other cgroup, the root's
///   included; isolated ones show in the root's `cpuset.cpus.isolated`. It ends with its cgroup.
struct PartitionManners: KernelManners {
  private static let exclusive = "cpuset.cpus.exclusive"
  private static let partition = "cpuset.cpus.partition"

  func apply(to path: HostPath) -> Bool {
    path.begins(with: CPUSets.root)
      && (path.name == Self.exclusive || path.name == Self.partition)
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    if path.name == Self.exclusive {
      try writeExclusive(text, of: path.parent, in: tree)
    } else {
      try writePartition(text, of: path.parent, in: tree)
    }
    try CPUSets(tree: tree).update()
  }

  private func writeExclusive(
    _ text: String, of group: HostPath, in tree: RecordedTree
  ) throws(HostError) {
    let path = group.appending(Self.exclusive)
    guard let cpus = try? CPUList(parsing: text) else {
      throw refusal(of: text, at: path, .invalid)
    }
    let exclusivity = try CPUExclusivity(tree: tree)
    var state = try exclusivity.state(of: group)
    state.exclusive = cpus
    guard try exclusivity.admits(state, of: group) else {
      throw refusal(of: text, at: path, .invalid)
    }
    try tree.replace("\(cpus)\n", at: path)
    try endPartitions(from: group, in: tree)
  }

  /// Ends the partitions, of a group and of those below it, whose CPUs are exclusive no more.
  private func endPartitions(from group: HostPath, in tree: RecordedTree) throws(HostError) {
    let sets = CPUSets(tree: tree)
    let version = try RecordedKernel(root: tree.root).version()
    let path = group.appending(Self.partition)
    if group.parent != CPUSets.root, try sets.isPartition(group) {
      let cpus = try tree.list(of: group.appending(Self.exclusive))
      let isHeld = try isHeld(cpus, above: group, in: tree, version)
      if cpus.isEmpty || !isHeld {
        let word = try tree.text(of: path).trimmed
        try tree.replace("\(word) invalid (Parent is not a partition root)\n", at: path)
      }
    }
    for child in try sets.children(of: group) { try endPartitions(from: child, in: tree) }
  }

  private func writePartition(
    _ text: String, of group: HostPath, in tree: RecordedTree
  ) throws(HostError) {
    let path = group.appending(Self.partition)
    switch text.trimmed {
    case "member": try tree.replace("member\n", at: path)
    case "root", "isolated":
      let word = text.trimmed
      let reason = try obstacle(to: word, group, in: tree)
      try tree.replace(reason.map { "\(word) invalid (\($0))\n" } ?? "\(word)\n", at: path)
    default: throw refusal(of: text, at: path, .invalid)
    }
  }

  /// Why a cgroup cannot be a partition, in the kernel's words; nil where it can.
  private func obstacle(
    to word: String, _ group: HostPath, in tree: RecordedTree
  ) throws(HostError) -> String? {
    let sets = CPUSets(tree: tree)
    let version = try RecordedKernel(root: tree.root).version()
    let exclusivity = try CPUExclusivity(tree: tree)
    var state = try exclusivity.state(of: group)
    state.isPartition = true
    if try !exclusivity.admits(state, of: group) { return "Cpu list in cpuset.cpus not exclusive" }
    let cpus = state.exclusiveOrAll
    let isRemote = group.parent != CPUSets.root
    if version < KernelVersion(major: 6, minor: 7) {
      if cpus.isEmpty { return "cpuset.cpus is empty" }
      if isRemote, try !sets.isPartition(group.parent) { return "Parent is not a partition root" }
    }
    if cpus.isEmpty { return "cpuset.cpus and cpuset.cpus.exclusive are empty" }
    if word == "root", version >= KernelVersion(major: 6, minor: isRemote ? 19 : 7),
      try !cpus.isDisjoint(with: sets.bootIsolatedCPUs())
    {
      return "partition config conflicts with housekeeping setup"
    }
    if cpus == (try tree.list(of: "/sys/devices/system/cpu/online")) {
      return "Parent unable to distribute cpu downstream"
    }
    let holds = try isHeld(cpus, above: group, in: tree, version)
    let isTaken = try !cpus.isDisjoint(with: sets.partitionedCPUs(besides: group))
    return holds && !isTaken ? nil : "Invalid cpu list in cpuset.cpus.exclusive"
  }

  /// Whether every ancestor holds the CPUs exclusively.
  private func isHeld(
    _ cpus: CPUList, above group: HostPath, in tree: RecordedTree, _ version: KernelVersion
  ) throws(HostError) -> Bool {
    let needsCPUs = version < KernelVersion(major: 6, minor: 11)
    var ancestor = group.parent
    while ancestor != CPUSets.root {
      if !cpus.isSubset(of: try tree.list(of: ancestor.appending(Self.exclusive))) { return false }
      if needsCPUs, !cpus.isSubset(of: try tree.list(of: "\(ancestor)/cpuset.cpus")) {
        return false
      }
      ancestor = ancestor.parent
    }
    return true
  }

  /// Ends the partition of a cgroup that is about to vanish, as the kernel does.
  func end(_ path: HostPath, in tree: RecordedTree) throws(HostError) {
    if tree.exists(path) { try write("member", to: path, in: tree) }
  }

  /// Whether a file is the one that makes a cgroup a partition.
  static func isPartition(_ path: HostPath) -> Bool { path.name == partition }
}
