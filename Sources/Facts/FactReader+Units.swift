internal import Bytes
import HostModel
internal import Port

extension FactReader {
  /// The groups that hold the host's own tasks, as far as the host has them.
  ///
  /// The kernel's threads live in the root cgroup. Of PID 1's own scope there is no unit file: it is
  /// `init.scope` wherever systemd runs. libvirt's domains live in a slice of their own, and each has
  /// its own CPUs; those of Proxmox run wherever they like, and its containers outside systemd's
  /// part of the hierarchy (`lxc` and `lxc.monitor`).
  func readUnits(beside domain: Domain, into facts: inout HostFacts) throws(HostError) {
    for name in ["init.scope", "system.slice", "user.slice"] where try isGroup(name) {
      facts.units.append(UnitFacts(name: name))
    }
    guard domain.hypervisor == .proxmox else { return }
    for name in try kernel.entriesIfPresent(of: "/sys/fs/cgroup/qemu.slice")
    where name.ends(with: ".scope") && name != "\(domain.id ?? "").scope" {
      facts.units.append(UnitFacts(name: "qemu.slice/\(name)"))
    }
    for name in ["lxc", "lxc.monitor"]
    where kernel.exists("/sys/fs/cgroup/\(name)/cpuset.cpus") {
      facts.unmanagedGroups.append(name)
    }
  }

  private func isGroup(_ name: String) throws(HostError) -> Bool {
    let group: HostPath = "/sys/fs/cgroup/\(name)"
    return try kernel.ifPresent { () throws(HostError) in try kernel.entries(of: group) } != nil
  }
}
