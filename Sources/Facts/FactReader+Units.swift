internal import Bytes
import HostModel
internal import Port

extension FactReader {
  private static let mount: HostPath = "/sys/fs/cgroup"

  /// The groups that hold everybody's tasks but the domain's own: all that are not on the way from the
  /// root of the hierarchy to its threads.
  ///
  /// The kernel's threads live in the root cgroup. What a hypervisor or another manager of containers
  /// keeps outside of systemd's part of the hierarchy (`lxc`, `lxc.payload.*`, all of them where no
  /// systemd runs) is confined by the kernel's own file. A group that is a partition has CPUs of its own
  /// already.
  func readUnits(
    beside process: QEMUFacts?, of domain: Domain, into facts: inout HostFacts
  ) throws(HostError) {
    let home = process.map { $0.home ?? "-" } ?? Self.expectedHome(of: domain)
    var way = Self.mount
    // Below a scope or a service, groups are their owner's.
    var isSystemds = hasSystemd()
    for name in home.fields(at: "/").map(String.init) {
      for other in try groups(in: way) where other != name {
        if try isPartition(way.appending(other)) { continue }
        let path = way == Self.mount ? other : "\(way.below(Self.mount))/\(other)"
        if isSystemds, Self.isUnit(other) {
          facts.units.append(UnitFacts(name: path))
        } else if !isSystemds || !Self.holdsNoTasks(other) {
          facts.unmanagedGroups.append(path)
        }
      }
      way = way.appending(name)
      isSystemds = isSystemds && name.ends(with: ".slice")
    }
  }

  /// Where a domain is whose QEMU is not known: in which of libvirt's scopes, nobody can tell.
  private static func expectedHome(of domain: Domain) -> String {
    domain.hypervisor == .proxmox ? "qemu.slice/\(domain.id ?? "-").scope" : "machine.slice"
  }

  /// The names of the groups in one, sorted.
  private func groups(in group: HostPath) throws(HostError) -> [String] {
    try kernel.entriesIfPresent(of: group).filter { name in
      kernel.exists("\(group)/\(name)/cgroup.procs")
        || kernel.exists("\(group)/\(name)/cpuset.cpus")
    }.sorted()
  }

  private func hasSystemd() -> Bool {
    kernel.exists("/run/systemd/system") || kernel.exists("\(Self.mount)/init.scope")
  }

  private static func isUnit(_ name: String) -> Bool {
    [".slice", ".scope", ".service"].contains { name.ends(with: $0) }
  }

  /// Whether a group is that of a unit without processes, which are at the top of the hierarchy as well.
  private static func holdsNoTasks(_ name: String) -> Bool {
    [".mount", ".automount", ".swap", ".socket"].contains { name.ends(with: $0) }
  }

  private func isPartition(_ group: HostPath) throws(HostError) -> Bool {
    let word = try kernel.wordIfPresent(of: "\(group)/cpuset.cpus.partition")
    return word == "root" || word == "isolated"
  }

  /// On hybrid hosts the hierarchy of v2 is mounted below the others, and has no cpusets.
  func readCpusets(into facts: inout HostFacts) throws(HostError) {
    let isLegacy =
      kernel.exists("\(Self.mount)/cpuset/tasks")
      || kernel.exists("\(Self.mount)/unified/cgroup.procs")
    facts.cpusets = isLegacy ? .legacy : .unified
    if isLegacy { return }
    facts.hasExclusiveCPUs = kernel.hasExclusiveCPUs(in: "init.scope")
    let effective = try kernel.wordIfPresent(of: "\(Self.mount)/cpuset.cpus.effective")
    if let effective, let left = try? CPUList(parsing: effective) {
      facts.partitionedCPUs = facts.onlineCPUs.subtracting(left)
    }
  }
}

extension KernelReader {
  /// Whether a cgroup can name CPUs of its own, by the file for it.
  ///
  /// A group that has no cpuset yet does not tell: then another one may.
  func hasExclusiveCPUs(in group: String) -> Bool {
    for name in [group, "init.scope", "system.slice"] {
      let folder: HostPath = "/sys/fs/cgroup/\(below: name)"
      if exists("\(folder)/cpuset.cpus.exclusive") { return true }
      if exists("\(folder)/cpuset.cpus") { return false }
    }
    return true
  }
}
