internal import Bytes
internal import Formats
import HostModel
internal import Port

/// What a cgroup says of its own CPUs.
struct CPUSetState {
  /// `cpuset.cpus`.
  var cpus: CPUList
  /// `cpuset.cpus.exclusive`.
  var exclusive: CPUList
  /// Whether the group is a partition that stands, and not one that is invalid.
  var isPartition: Bool

  /// What counts where the group is, or is to be, exclusive (kernel/cgroup/cpuset.c, `fetch_xcpus()`).
  var exclusiveOrAll: CPUList { exclusive.isEmpty ? cpus : exclusive }
}

/// Which CPUs cgroups of one parent may have beside one another (kernel/cgroup/cpuset.c).
///
/// - Up to Linux 6.19, `validate_change()` with `cpusets_are_exclusive()`: where one of two siblings is
///   a partition, or both name exclusive CPUs, the exclusive CPUs of either, or all of `cpuset.cpus`
///   where it names none, must not meet; where one names exclusive CPUs, the other's `cpuset.cpus` must
///   not lie within them.
/// - From 7.0 on, `cpus_excl_conflict()`: exclusive CPUs must not meet, and a list of exclusive CPUs may
///   not hold all of a sibling's `cpuset.cpus`. What `cpuset.cpus` of a sibling may use is of no
///   account (“cgroup/cpuset: Don't invalidate sibling partitions on cpuset.cpus conflict”).
struct CPUExclusivity {
  let tree: RecordedTree
  let isStrict: Bool

  init(tree: RecordedTree) throws(HostError) {
    self.tree = tree
    let version = try RecordedKernel(root: tree.root).version()
    isStrict = version < KernelVersion(major: 7, minor: 0)
  }

  /// What a cgroup says now.
  func state(of group: HostPath) throws(HostError) -> CPUSetState {
    let exclusive: HostPath = "\(group)/cpuset.cpus.exclusive"
    return CPUSetState(
      cpus: try tree.list(of: "\(group)/cpuset.cpus"),
      exclusive: try tree.exists(exclusive) ? tree.list(of: exclusive) : [],
      isPartition: try CPUSets(tree: tree).isPartition(group))
  }

  /// Whether a group may be in a state, beside its siblings.
  func admits(_ state: CPUSetState, of group: HostPath) throws(HostError) -> Bool {
    for sibling in try CPUSets(tree: tree).children(of: group.parent) where sibling != group {
      if conflicts(state, with: try self.state(of: sibling)) { return false }
    }
    return true
  }

  private func conflicts(_ state: CPUSetState, with sibling: CPUSetState) -> Bool {
    let (own, other) = (state.exclusive, sibling.exclusive)
    guard isStrict else {
      let swallows = !sibling.cpus.isEmpty && sibling.cpus.isSubset(of: own)
      return swallows || !own.isDisjoint(with: other)
    }
    if state.isPartition || sibling.isPartition || !own.isEmpty && !other.isEmpty {
      return !state.exclusiveOrAll.isDisjoint(with: sibling.exclusiveOrAll)
    }
    if !own.isEmpty { return !sibling.cpus.isEmpty && sibling.cpus.isSubset(of: own) }
    if !other.isEmpty { return !state.cpus.isEmpty && state.cpus.isSubset(of: other) }
    return false
  }

  /// Ends the partitions that a new `cpuset.cpus` meets, the group's own among them: the write itself
  /// succeeds (`update_cpumask()`, up to Linux 6.19), and the kernel gives no reason.
  func invalidatePartitions(meeting state: CPUSetState, of group: HostPath) throws(HostError) {
    guard isStrict, try !admits(state, of: group) else { return }
    for sibling in try CPUSets(tree: tree).children(of: group.parent) {
      let other = sibling == group ? state : try self.state(of: sibling)
      let isMet = sibling == group || !other.exclusiveOrAll.isDisjoint(with: state.exclusiveOrAll)
      if other.isPartition, isMet { try invalidate(sibling) }
    }
  }

  private func invalidate(_ group: HostPath) throws(HostError) {
    let file: HostPath = "\(group)/cpuset.cpus.partition"
    let word = try tree.text(of: file).trimmed
    try tree.replace("\(word) invalid\n", at: file)
  }
}
