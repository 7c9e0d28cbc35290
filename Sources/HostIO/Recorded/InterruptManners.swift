import HostModel

/// The CPUs of an interrupt: `smp_affinity_list` and `smp_affinity`.
///
/// - An interrupt that the kernel manages itself, or that is bound to its CPU, cannot be moved:
///   `EIO` up to Linux 6.8, `EPERM` from 6.12 on.
/// - A mask without any online CPU is `EINVAL`; the others may name CPUs that are offline.
/// - What is read back is in the kernel's normal form, and `effective_affinity_list` is the one
///   CPU to which an x86 host really sends the interrupt.
struct InterruptManners: KernelManners {
  func apply(to path: String) -> Bool {
    path.hasPrefix("/proc/irq/")
      && (path.hasSuffix("/smp_affinity_list") || path.hasSuffix("/smp_affinity"))
  }

  func write(_ text: String, to path: String, in tree: RecordedTree) throws(HostError) {
    let directory = path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    let limits = try RecordedLimits(of: tree)
    if limits.value("managed", of: "\(directory)/smp_affinity_list") != nil {
      let version = try RecordedKernel(root: tree.root).version()
      let isEarly = version < KernelVersion(major: 6, minor: 12)
      throw refusal(of: text, at: path, isEarly ? .inputOutput : .notPermitted)
    }
    let isMask = path.hasSuffix("/smp_affinity")
    let online = try tree.list(of: "/sys/devices/system/cpu/online")
    guard let cpus = try? isMask ? CPUList(parsingMask: text) : CPUList(parsing: text),
      let target = cpus.intersection(online).first
    else { throw refusal(of: text, at: path, .invalid) }
    try tree.replace("\(cpus)\n", at: "\(directory)/smp_affinity_list")
    let others = [("smp_affinity", cpus.mask), ("effective_affinity_list", "\(target)")]
    for (name, text) in others where tree.exists("\(directory)/\(name)") {
      try tree.replace(text + "\n", at: "\(directory)/\(name)")
    }
  }
}

extension RecordedTree {
  /// The set that a file holds as a cpulist.
  func list(of path: String) throws(HostError) -> CPUList {
    let text = try text(of: path)
    do {
      return try CPUList(parsing: text)
    } catch {
      throw HostError(.read, path, errno: ErrorNumber.invalid.number, diagnosis: "\(error)")
    }
  }
}
