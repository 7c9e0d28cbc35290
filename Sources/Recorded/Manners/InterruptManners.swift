internal import Bytes
import HostModel
internal import Port

/// The CPUs of an interrupt: `smp_affinity_list` and `smp_affinity`.
///
/// - An interrupt that the kernel manages itself, or that is bound to its CPU, cannot be moved:
///   `EIO` up to Linux 6.8, `EPERM` from 6.12 on.
/// - A mask without any online CPU is `EINVAL`; the others may name CPUs that are offline.
/// - What is read back is in the kernel's normal form, and `effective_affinity_list` is the one
///   CPU to which an x86 host really sends the interrupt. It stays for as long as the mask has it
///   (arch/x86/kernel/apic/vector.c, `assign_vector_locked()`).
struct InterruptManners: KernelManners {
  func apply(to path: HostPath) -> Bool {
    path.begins(with: "/proc/irq")
      && (path.ends(with: "/smp_affinity_list") || path.ends(with: "/smp_affinity"))
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let directory = path.parent
    let limits = try RecordedLimits(of: tree)
    if limits.value("managed", of: directory.appending("smp_affinity_list")) != nil {
      let version = try RecordedKernel(root: tree.root).version()
      let isEarly = version < KernelVersion(major: 6, minor: 12)
      throw refusal(of: text, at: path, isEarly ? .inputOutput : .notPermitted)
    }
    let isMask = path.ends(with: "/smp_affinity")
    let online = try tree.list(of: "/sys/devices/system/cpu/online")
    guard let cpus = try? isMask ? CPUList(parsingMask: text) : CPUList(parsing: text),
      let first = cpus.intersection(online).first
    else { throw refusal(of: text, at: path, .invalid) }
    let effective: HostPath = "\(directory)/effective_affinity_list"
    let standing = tree.exists(effective) ? try tree.list(of: effective).first : nil
    let target = standing.flatMap { cpus.intersection(online).contains($0) ? $0 : nil } ?? first
    try tree.replace("\(cpus)\n", at: "\(directory)/smp_affinity_list")
    let mask = try padded(cpus.mask, like: "\(directory)/smp_affinity", in: tree)
    let others = [("smp_affinity", mask), ("effective_affinity_list", "\(target)")]
    for (name, text) in others where tree.exists("\(directory)/\(name)") {
      try tree.replace(text + "\n", at: "\(directory)/\(name)")
    }
  }

  /// The kernel's masks are all as long as its CPUs are many.
  private func padded(
    _ mask: String, like path: HostPath, in tree: RecordedTree
  ) throws(HostError) -> String {
    guard tree.exists(path) else { return mask }
    let length = try tree.text(of: path).trimmed.utf8.count
    return String(repeating: "0", count: max(0, length - mask.utf8.count)) + mask
  }
}

extension RecordedTree {
  /// The set that a file holds as a cpulist.
  func list(of path: HostPath) throws(HostError) -> CPUList {
    try list(in: text(of: path), at: path)
  }

  /// The set that the text of a file is.
  func list(in text: String, at path: HostPath) throws(HostError) -> CPUList {
    do {
      return try CPUList(parsing: text)
    } catch {
      throw HostError(.read, path, errno: ErrorNumber.invalid.number, diagnosis: "\(error)")
    }
  }
}
