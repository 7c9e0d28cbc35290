internal import Bytes
import HostModel
internal import Port

/// The CPUs of a cgroup: `cpuset.cpus`.
///
/// - Up to Linux 6.17, emptying it is `ENOSPC` while any process is in the cgroup or below it: the
///   confinement then stays, although systemd reports none.
/// - A list that meets a sibling's partition ends that partition, up to Linux 6.19: see
///   `CPUExclusivity`.
/// - What may really be used, `cpuset.cpus.effective`, is what the parent may use as far as the
///   cgroup names it; all of the parent's where nothing is left.
struct CPUSetManners: KernelManners {
  func apply(to path: HostPath) -> Bool {
    path.begins(with: CPUSets.root) && path.ends(with: "/cpuset.cpus")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    guard let cpus = try? CPUList(parsing: text) else {
      throw refusal(of: text, at: path, .invalid)
    }
    let group = path.parent
    if cpus.isEmpty {
      let version = try RecordedKernel(root: tree.root).version()
      let isEarly = version < KernelVersion(major: 7, minor: 0)
      let isPopulated = try isPopulated(group, in: tree)
      let isConfined = try !tree.list(of: path).isEmpty
      if isEarly, isPopulated, isConfined {
        throw HostError(.write, path, value: "", errno: 28)
      }
    }
    if !cpus.isSubset(of: try tree.list(of: "/sys/devices/system/cpu/possible")) {
      throw HostError(.write, path, value: text.trimmed, errno: 34)
    }
    let exclusivity = try CPUExclusivity(tree: tree)
    var state = try exclusivity.state(of: group)
    state.cpus = cpus
    try exclusivity.invalidatePartitions(meeting: state, of: group)
    try tree.replace("\(cpus)\n", at: path)
    try CPUSets(tree: tree).update()
  }

  private func isPopulated(_ group: HostPath, in tree: RecordedTree) throws(HostError) -> Bool {
    let path: HostPath = "\(group)/cgroup.events"
    guard tree.exists(path) else { return false }
    return try tree.text(of: path).lines.contains { $0 == "populated 1" }
  }
}
