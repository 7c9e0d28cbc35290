internal import Bytes
import HostModel
internal import Port

/// The CPUs of work that is bound to none: the masks below `/sys/devices/virtual/workqueue`.
///
/// - A mask without any CPU that the host can have is `EINVAL` (kernel/workqueue.c,
///   `workqueue_set_unbound_cpumask()`, `wq_cpumask_store()`).
/// - Since Linux 6.8 `cpumask_requested` holds what was written, and `cpumask` what is in effect:
///   all of it, even the CPUs of isolated partitions that were excluded before.
struct WorkqueueManners: KernelManners {
  func apply(to path: HostPath) -> Bool {
    path.begins(with: KernelPath.workqueues) && path.ends(with: "/cpumask")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let possible = try tree.list(of: "/sys/devices/system/cpu/possible")
    guard let cpus = try? CPUList(parsingMask: text).intersection(possible), !cpus.isEmpty else {
      throw refusal(of: text, at: path, .invalid)
    }
    let length = try tree.text(of: path).trimmed.utf8.count
    let mask = String(repeating: "0", count: max(0, length - cpus.mask.utf8.count)) + cpus.mask
    for file: HostPath in [path, "\(path)_requested"] where tree.exists(file) {
      try tree.replace(mask + "\n", at: file)
    }
  }
}
