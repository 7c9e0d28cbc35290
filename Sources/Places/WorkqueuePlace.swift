internal import Bytes
internal import HostModel
internal import Port

/// The CPUs of work that is bound to none: a mask below `/sys/devices/virtual/workqueue`.
///
/// Since Linux 6.8 what was asked for and what is in effect are two files: the kernel takes CPUs of
/// isolated partitions out of the second, and asking anew brings them back into it
/// (kernel/workqueue.c, `workqueue_set_unbound_cpumask()`). So what was asked for is what is read,
/// and nothing is written while there is such a partition.
struct WorkqueuePlace: Place {
  let kernel: any Kernel
  let path: HostPath

  func read(until deadline: Deadline) throws(HostError) -> Value {
    let requested: HostPath = "\(path)_requested"
    let place = kernel.exists(requested) ? requested : path
    return try AttributePlace(kernel: kernel, path: place, format: .cpuMask)
      .read(until: deadline)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    let isolated = try kernel.wordIfPresent(of: "/sys/fs/cgroup/cpuset.cpus.isolated") ?? ""
    guard isolated.isEmpty else {
      throw HostError(
        .write, path, value: "\(value)", errno: ErrorNumber.busy.number,
        diagnosis: "it would bring work back to CPUs \(isolated), which are isolated")
    }
    try AttributePlace(kernel: kernel, path: path, format: .cpuMask).write(value, until: deadline)
  }
}
