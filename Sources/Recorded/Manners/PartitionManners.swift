internal import Bytes
import HostModel
internal import Port

/// Partitions of the host's CPUs: `cpuset.cpus.exclusive`, `cpuset.cpus.partition`.
///
/// - `cpuset.cpus.exclusive` that overlaps a sibling's is `EINVAL`.
/// - `cpuset.cpus.partition` takes `member`, `root` and `isolated`; any other word is `EINVAL`.
/// - Asking for a partition that cannot be is no error of the write: the file then reads
///   `isolated invalid (…)`. It cannot be where an ancestor does not hold the CPUs exclusively,
///   and, before Linux 6.11, where an ancestor's `cpuset.cpus` does not hold them.
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
    let sets = CPUSets(tree: tree)
    for sibling in try sets.children(of: group.parent) where sibling != group {
      if !(try tree.list(of: sibling.appending(Self.exclusive))).isDisjoint(with: cpus) {
        throw refusal(of: text, at: path, .invalid)
      }
    }
    try tree.replace("\(cpus)\n", at: path)
  }

  private func writePartition(
    _ text: String, of group: HostPath, in tree: RecordedTree
  ) throws(HostError) {
    let path = group.appending(Self.partition)
    switch text.trimmed {
    case "member": try tree.replace("member\n", at: path)
    case "root", "isolated":
      let reason = try obstacle(to: group, in: tree)
      let word = text.trimmed
      try tree.replace(reason.map { "\(word) invalid (\($0))\n" } ?? "\(word)\n", at: path)
    default: throw refusal(of: text, at: path, .invalid)
    }
  }

  /// Why a cgroup cannot be a partition, in the kernel's words; nil where it can.
  private func obstacle(to group: HostPath, in tree: RecordedTree) throws(HostError) -> String? {
    let cpus = try tree.list(of: group.appending(Self.exclusive))
    let needsCPUs =
      try RecordedKernel(root: tree.root).version()
      < KernelVersion(major: 6, minor: 11)
    let broken = "Invalid cpu list in cpuset.cpus.exclusive"
    if cpus.isEmpty { return broken }
    if cpus == (try tree.list(of: "/sys/devices/system/cpu/online")) {
      return "Parent unable to distribute cpu downstream"
    }
    var ancestor = group.parent
    while ancestor != CPUSets.root {
      if !cpus.isSubset(of: try tree.list(of: ancestor.appending(Self.exclusive))) { return broken }
      if needsCPUs, !cpus.isSubset(of: try tree.list(of: "\(ancestor)/cpuset.cpus")) {
        return broken
      }
      ancestor = ancestor.parent
    }
    return nil
  }

  /// Ends the partition of a cgroup that is about to vanish, as the kernel does.
  func end(_ path: HostPath, in tree: RecordedTree) throws(HostError) {
    if tree.exists(path) { try write("member", to: path, in: tree) }
  }

  /// Whether a file is the one that makes a cgroup a partition.
  static func isPartition(_ path: HostPath) -> Bool { path.name == partition }
}
