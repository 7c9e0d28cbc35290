internal import Bytes
import HostModel
internal import Port

extension HostUses {
  /// Mounted file systems, swap and whatever the host has built on the function's disks.
  func disks() throws(HostError) -> [String] {
    let names = try devices(of: "block") + multipathDisks()
    if names.isEmpty { return [] }
    let mounts = Mount.table(of: try mountText())
    let swaps = try kernel.wordIfPresent(of: "/proc/swaps") ?? ""
    let pooled = try pooledByBtrfs()

    var uses: [String] = []
    for name in names {
      let number = try kernel.wordIfPresent(of: "/sys/class/block/\(name)/dev")
      if let mount = mounts.first(where: { $0.number == number || $0.source == "/dev/\(name)" }) {
        uses.append("mounted at \(mount.point) (\(name))")
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

  /// PID 1 sees every mount of the host, a hook perhaps only those of its service.
  private func mountText() throws(HostError) -> String {
    if let text = try? kernel.text(of: "/proc/1/mountinfo") { return text }
    return try kernel.text(of: "/proc/self/mountinfo")
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

/// One line of `mountinfo` (proc(5)).
private struct Mount {
  /// `MAJOR:MINOR`; of no device for btrfs, which shows its source only.
  var number: String
  var point: String
  var source: String

  static func table(of text: String) -> [Mount] {
    text.fields(at: "\n").compactMap { line in
      let fields = line.fields(at: " ")
      // Optional fields of any number end with a lone hyphen; type and source come after it.
      guard fields.count > 6, let hyphen = fields[6...].firstIndex(where: { $0 == "-" }),
        fields.count > hyphen + 2
      else { return nil }
      return Mount(
        number: String(fields[2]), point: unescaped(fields[4]),
        source: unescaped(fields[hyphen + 2]))
    }
  }

  /// The kernel writes blanks, tabs, newlines and backslashes as three octal digits.
  private static func unescaped(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = field.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let code = UInt8(String(rest.prefix(3)) ?? "", radix: 8) {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
