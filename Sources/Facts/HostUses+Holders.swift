internal import Bytes
import HostModel
internal import Port

/// Who has a disk, where that is no mount: volumes and arrays that the kernel lists as its holders, whoever
/// gives it to others, and those that only the kernel knows of.
extension HostUses {
  /// What stands on a disk, as the kernel's links and its table of arrays tell.
  func holders(of name: String, _ arrays: [DiskArray]) throws(HostError) -> [String] {
    let folder: HostPath = "/sys/class/block/\(name)"
    var uses: [String] = []
    for holder in try kernel.entriesIfPresent(of: "\(folder)/holders") {
      uses.append("part of \(try title(ofHolder: holder)) (\(name))")
    }
    if uses.isEmpty {
      uses = arrays.filter { $0.members.contains(name) }.map {
        "part of the array \($0.name) (\(name))"
      }
    }
    // A cache has no holder (drivers/md/bcache/super.c, `register_cache()`).
    if uses.isEmpty, kernel.exists("\(folder)/bcache") { uses.append("part of bcache (\(name))") }
    return uses
  }

  /// The name by which people know a device that stands on others, and what it is as far as its driver
  /// tells; the kernel's name for any other.
  private func title(ofHolder holder: String) throws(HostError) -> String {
    let folder: HostPath = "/sys/class/block/\(holder)"
    if kernel.exists("\(folder)/md") { return "the array \(holder)" }
    guard let name = try kernel.wordIfPresent(of: "\(folder)/dm/name") else { return holder }
    let kind = try kernel.wordIfPresent(of: "\(folder)/dm/uuid")?.cut(at: "-")?.head
    switch kind {
    case "LVM": return "LVM's \(name)"
    case "CRYPT": return "the encrypted \(name)"
    case "mpath": return "multipath's \(name)"
    default: return name
    }
  }

  /// An array of `/proc/mdstat`, with the disks that it has, also where it does not run.
  struct DiskArray {
    var name: String
    var members: [String]
  }

  func arrays() throws(HostError) -> [DiskArray] {
    let table = try kernel.wordIfPresent(of: "/proc/mdstat") ?? ""
    return table.fields(at: "\n").compactMap { line in
      let words = line.fields(at: " ")
      guard words.count > 2, words[1] == ":", words[0].begins(with: "md") else { return nil }
      // Such as `sda1[0]`, or `sdb1[1](S)` for a spare.
      let members = words.dropFirst(3).compactMap { $0.cut(at: "[").map { String($0.head) } }
      return DiskArray(name: String(words[0]), members: members)
    }
  }

  /// What gives a disk to others without having it to itself: loop devices, and the targets of SCSI and
  /// NVMe that the kernel serves (drivers/block/loop.c, drivers/nvme/target/io-cmd-bdev.c).
  func exports() throws(HostError) -> [(disk: String, use: String)] {
    var exports: [(disk: String, use: String)] = []
    func note(_ file: HostPath, _ use: String) throws(HostError) {
      if let disk = try disk(namedBy: file) { exports.append((disk, use)) }
    }
    for name in try kernel.entriesIfPresent(of: "/sys/class/block")
    where name.number(after: "loop") != nil {
      try note("/sys/class/block/\(name)/loop/backing_file", "below \(name)")
    }
    let targets: HostPath = "/sys/kernel/config/target/core"
    for adapter in try kernel.entriesIfPresent(of: targets) {
      for name in try kernel.entriesIfPresent(of: "\(targets)/\(adapter)") {
        try note("\(targets)/\(adapter)/\(name)/udev_path", "exported by LIO as \(name)")
      }
    }
    let subsystems: HostPath = "/sys/kernel/config/nvmet/subsystems"
    for name in try kernel.entriesIfPresent(of: subsystems) {
      let spaces: HostPath = "\(subsystems)/\(name)/namespaces"
      for space in try kernel.entriesIfPresent(of: spaces) {
        try note("\(spaces)/\(space)/device_path", "exported by NVMe as \(name)")
      }
    }
    return exports
  }

  /// The disk whose path a file holds, be it by a link that udev has made; nil for no path of a device.
  private func disk(namedBy file: HostPath) throws(HostError) -> String? {
    guard let text = try kernel.wordIfPresent(of: file), text.begins(with: "/dev/") else {
      return nil
    }
    let target = try destination(of: HostPath(foreign: text)) ?? text
    return target.fields(at: "/").last.map(String.init)
  }

  // MARK: What only the kernel knows

  /// The disks that somebody has to himself of whom no file tells, such as a pool of ZFS.
  ///
  /// A disk of which a part is taken is taken as a whole (block/bdev.c, `bd_may_claim()`): one that is free
  /// answers for all its parts. Where the kernel cannot be asked, what udev has found on the disk has to do.
  func takenDisks(among disks: [Disk], besides known: Set<String>) -> [String] {
    var uses: [String] = []
    for whole in disks where whole.whole == nil && !known.contains(whole.name) {
      let parts = disks.filter { $0.whole == whole.name }
      do throws(HostError) {
        let hasKnownPart = parts.contains { known.contains($0.name) }
        let isTaken = hasKnownPart ? true : try kernel.isTaken(whole.device, until: patience)
        if isTaken == false { continue }
        var found: [String] = []
        for part in parts where !known.contains(part.name) {
          if let use = try use(of: part.device) { found.append(use) }
        }
        if found.isEmpty, !hasKnownPart {
          found = try use(of: whole.device, isTaken).map { [$0] } ?? []
        }
        uses += found
      } catch {
        // A disk that does not answer is not to be taken from whoever waits for it as well.
        uses.append("perhaps in use (\(whole.name)): \(error)")
        // The others hang with it, perhaps, and one is enough.
        break
      }
    }
    return uses
  }

  /// How long one disk may take to answer.
  private var patience: Deadline { kernel.now.advanced(byMilliseconds: 2_000) }

  private func use(of disk: BlockDevice) throws(HostError) -> String? {
    try use(of: disk, try kernel.isTaken(disk, until: patience))
  }

  /// Who has a disk to himself, by what udev has found there; nil where nobody has, as far as is known.
  private func use(of disk: BlockDevice, _ isTaken: Bool?) throws(HostError) -> String? {
    let content = try content(of: disk)
    switch isTaken {
    case true?:
      let role = content.flatMap { Self.roles[$0] } ?? "in use by the kernel or a program"
      return "\(role) (\(disk.name))"
    case nil:
      let role = content.flatMap { Self.unlisted.contains($0) ? Self.roles[$0] : nil }
      return role.map { "\($0) (\(disk.name))" }
    case false?: return nil
    }
  }

  /// What is in use without a sign of it: where the kernel cannot be asked, nobody knows that it is not.
  private static let unlisted = ["ceph_bluestore", "drbd", "zfs_member"]

  /// What a disk is that somebody has to himself, by the `ID_FS_TYPE` of blkid(8).
  private static let roles = [
    "bcache": "part of bcache", "ceph_bluestore": "a disk of Ceph",
    "crypto_LUKS": "an open encrypted disk", "ddf_raid_member": "a member of an array",
    "drbd": "a disk of DRBD", "isw_raid_member": "a member of an array",
    "linux_raid_member": "a member of an array", "LVM2_member": "a disk of LVM",
    "mpath_member": "a path of multipath", "swap": "swap",
    "VMFS_volume_member": "a disk of VMFS", "zfs_member": "a member of a ZFS pool",
  ]

  private func content(of disk: BlockDevice) throws(HostError) -> String? {
    guard let number = disk.number else { return nil }
    let text = try kernel.wordIfPresent(of: "/run/udev/data/b\(number)") ?? ""
    return text.fields(at: "\n").compactMap { $0.rest(after: "E:ID_FS_TYPE=") }.first.map(
      String.init)
  }
}
