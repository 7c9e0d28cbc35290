internal import Bytes
import HostModel

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

  /// Works out again what every cgroup may use, from what each of them asks for.
  func update() throws(HostError) {
    if !tree.exists("\(Self.root)/cpuset.cpus.effective") { return }
    let online = try tree.list(of: "/sys/devices/system/cpu/online")
    let taken = try partitions(below: Self.root)
    let all = taken.reduce(CPUList()) { $0.union($1.cpus) }
    let isolated = taken.filter(\.isIsolated).reduce(CPUList()) { $0.union($1.cpus) }
    let left = online.subtracting(all)
    try put(left, at: "\(Self.root)/cpuset.cpus.effective")
    try put(isolated, at: "\(Self.root)/cpuset.cpus.isolated")
    for child in try children(of: Self.root) { try update(child, within: left, online: online) }
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
    var cpus: CPUList
    var isIsolated: Bool
  }

  private func partition(of group: HostPath) throws(HostError) -> Partition? {
    let path: HostPath = "\(group)/cpuset.cpus.partition"
    guard tree.exists(path) else { return nil }
    let word = try tree.text(of: path).trimmed
    if word != "isolated" && word != "root" { return nil }
    let cpus = try tree.list(of: "\(group)/cpuset.cpus.exclusive")
    return Partition(cpus: cpus, isIsolated: word == "isolated")
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
