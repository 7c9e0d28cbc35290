internal import Bytes
import HostModel
internal import Port

extension HostUses {
  /// Mounted file systems, swap and whatever the host has built on the function's disks.
  func disks() throws(HostError) -> [String] {
    let names = try devices(of: "block") + multipathDisks()
    if names.isEmpty { return [] }
    var disks: [MountTable.Disk] = []
    for name in names {
      let number = try kernel.wordIfPresent(of: "/sys/class/block/\(name)/dev")
      disks.append(MountTable.Disk(name: name, number: number))
    }
    let mounts: MountTable
    do throws(HostError) {
      mounts = try MountTable(of: kernel, with: disks)
    } catch {
      // What may be mounted is: no other table tells of the host's mounts for certain.
      return ["perhaps mounted (\(names.joined(separator: ", "))): \(error)"]
    }
    let swaps = try kernel.wordIfPresent(of: "/proc/swaps") ?? ""
    let pooled = try pooledByBtrfs()

    var uses: [String] = []
    for name in names {
      if let point = mounts.points[name] {
        uses.append("mounted at \(point) (\(name))")
      } else if pooled.contains(name) {
        uses.append("part of a mounted btrfs (\(name))")
      }
      if swaps.fields(at: "\n").contains(where: { $0.begins(with: "/dev/\(name) ") }) {
        uses.append("swap (\(name))")
      }
      for holder in try kernel.entriesIfPresent(of: "/sys/class/block/\(name)/holders") {
        uses.append("part of \(try title(ofHolder: holder)) (\(name))")
      }
    }
    return uses
  }

  /// The name by which people know a device-mapper device; the kernel's for any other.
  private func title(ofHolder holder: String) throws(HostError) -> String {
    try kernel.wordIfPresent(of: "/sys/class/block/\(holder)/dm/name") ?? holder
  }

  /// A file system of several disks shows only one of them as its source.
  private func pooledByBtrfs() throws(HostError) -> [String] {
    var names: [String] = []
    for filesystem in try kernel.entriesIfPresent(of: "/sys/fs/btrfs") {
      names += try kernel.entriesIfPresent(of: "/sys/fs/btrfs/\(filesystem)/devices")
    }
    return names
  }

  /// The disks of NVMe controllers of which a subsystem may have several.
  ///
  /// The kernel puts such a disk under `devices/virtual/nvme-subsystem/`, so that its path does
  /// not name the function; the subsystem lists its controllers beside its disks.
  private func multipathDisks() throws(HostError) -> [String] {
    let controllers = try kernel.entriesIfPresent(of: "\(device)/nvme")
    if controllers.isEmpty { return [] }
    var disks: [String] = []
    for subsystem in try kernel.entriesIfPresent(of: "/sys/class/nvme-subsystem") {
      let members = try kernel.entriesIfPresent(of: "/sys/class/nvme-subsystem/\(subsystem)")
      guard controllers.contains(where: members.contains) else { continue }
      let heads = members.filter { $0.begins(with: "nvme") && !controllers.contains($0) }
      for block in try kernel.entriesIfPresent(of: "/sys/class/block") {
        if heads.contains(where: { block == $0 || block.begins(with: "\($0)p") }) {
          disks.append(block)
        }
      }
    }
    return disks
  }
}
