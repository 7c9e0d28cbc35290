internal import Bytes
internal import HostModel
internal import Port

/// `cpuset.cpus` of a cgroup that is not systemd's.
///
/// To be emptied it is widened first. Up to Linux 6.17 an empty list is refused with `ENOSPC` while
/// tasks are in the group or below it (kernel/cgroup/cpuset.c, `validate_change()`): then all CPUs stay
/// in it, which confines nobody.
struct CPUSetPlace: Place {
  let kernel: any Kernel
  let group: HostPath

  init(kernel: any Kernel, group: String) {
    self.kernel = kernel
    self.group = "/sys/fs/cgroup/\(below: group)"
  }

  private var file: HostPath { "\(group)/cpuset.cpus" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    let cpus = try kernel.list(of: file)
    return .cpus(try kernel.possibleCPUs().isSubset(of: cpus) ? [] : cpus)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .cpus(let cpus) = value else { throw unsupported(value, at: file) }
    guard cpus.isEmpty else { return try kernel.write("\(cpus)", to: file) }
    try kernel.write("\(try kernel.possibleCPUs())", to: file)
    do throws(HostError) {
      // A newline, as a write of no bytes never reaches the kernel's code for the file.
      try kernel.write("\n", to: file)
    } catch  where ErrorNumber(error.errno) == .noSpace {}
    try checkUnconfined()
  }

  /// The CPUs in effect, which are what counts to tasks, have to be the parent's again.
  private func checkUnconfined() throws(HostError) {
    let effective = try kernel.list(of: "\(group)/cpuset.cpus.effective")
    let parent = try kernel.list(of: "\(group.parent)/cpuset.cpus.effective")
    guard effective != parent else { return }
    throw HostError(.write, file, value: "", diagnosis: "its tasks still have CPUs \(effective)")
  }
}

extension KernelReader {
  /// All CPUs that the host can ever have: what a list without any stands for.
  fileprivate func possibleCPUs() throws(HostError) -> CPUList {
    try list(of: "/sys/devices/system/cpu/possible")
  }
}
