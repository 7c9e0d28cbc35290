internal import Bytes
internal import HostModel
package import Port

extension HostUses {
  /// A disk that stands below the function, or a part of one.
  struct Disk {
    var device: BlockDevice
    /// The disk that it is a part of; nil for a whole one.
    var whole: String?

    var name: String { device.name }
  }

  /// Mounted file systems, swap and whatever the host has built on the function's disks.
  func uses(ofDisks disks: [Disk]) throws(HostError) -> [String] {
    if disks.isEmpty { return [] }
    let mounts: MountTable
    do throws(HostError) {
      mounts = try MountTable(of: kernel, with: disks.map(\.device))
    } catch {
      // What may be mounted is: no other table tells of the host's mounts for certain.
      return ["perhaps mounted (\(disks.map(\.name).joined(separator: ", "))): \(error)"]
    }
    let swaps = try kernel.wordIfPresent(of: "/proc/swaps") ?? ""
    let pooled = try pooledByBtrfs()
    let arrays = try arrays()
    let exports = try exports()

    var uses: [String] = []
    var known: Set<String> = []
    for name in disks.map(\.name) {
      let before = uses.count
      if let point = mounts.points[name] {
        uses.append("mounted at \(point) (\(name))")
      } else if pooled.contains(name) {
        uses.append("part of a mounted btrfs (\(name))")
      }
      if swaps.fields(at: "\n").contains(where: { $0.begins(with: "/dev/\(name) ") }) {
        uses.append("swap (\(name))")
      }
      uses += try holders(of: name, arrays)
      uses += exports.filter { $0.disk == name }.map { "\($0.use) (\(name))" }
      if uses.count > before { known.insert(name) }
    }
    return uses + takenDisks(among: disks, besides: known)
  }

  /// A file system of several disks shows only one of them as its source.
  private func pooledByBtrfs() throws(HostError) -> [String] {
    var names: [String] = []
    for filesystem in try kernel.entriesIfPresent(of: "/sys/fs/btrfs") {
      names += try kernel.entriesIfPresent(of: "/sys/fs/btrfs/\(filesystem)/devices")
    }
    return names
  }

  /// The function's disks with their parts.
  func disks() throws(HostError) -> [Disk] {
    var disks: [Disk] = []
    for name in try devices(of: "block") + multipathDisks() {
      let number = try kernel.wordIfPresent(of: "/sys/class/block/\(name)/dev")
      let path = try destination(of: "/sys/class/block/\(name)") ?? ""
      // A part of a disk stands in the folder of the disk.
      let folder = path.fields(at: "/").dropLast().last.map(String.init)
      disks.append(Disk(device: BlockDevice(name: name, number: number), whole: folder))
    }
    let names = disks.map(\.name)
    for index in disks.indices {
      if let whole = disks[index].whole, !names.contains(whole) { disks[index].whole = nil }
    }
    return disks
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

extension FactReader {
  /// The disks of the host with their parts, but for those that stand on others or on none.
  package func disksOfFunctions() -> [BlockDevice] {
    let folder: HostPath = "/sys/class/block"
    return ((try? kernel.entriesIfPresent(of: folder)) ?? []).compactMap { name in
      guard let path = try? kernel.destination(of: "\(folder)/\(name)"),
        path.has(text: "/pci") || path.has(text: "/nvme-subsystem/"),
        let number = try? kernel.wordIfPresent(of: "\(folder)/\(name)/dev")
      else { return nil }
      return BlockDevice(name: name, number: number)
    }
  }
}
