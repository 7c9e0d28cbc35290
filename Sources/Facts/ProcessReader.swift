package import Bytes
package import Formats
package import HostModel
package import Port

/// Tells processes and threads from later ones with the same number.
package struct ProcessReader {
  let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  /// Who the process with this number is now; nil where there is none.
  package func identity(of pid: Int) throws(HostError) -> ProcessIdentity? {
    guard pid > 0, let stat = try stat(at: "/proc/\(pid)/stat") else { return nil }
    // A zombie has given back everything it held: to its hypervisor it is gone.
    if stat.state == "Z" || stat.state == "X" { return nil }
    return ProcessIdentity(pid: pid, startTime: stat.startTime)
  }

  /// The `stat` of a process or thread; nil where there is none.
  package func stat(at path: HostPath) throws(HostError) -> ProcessStat? {
    let text = try kernel.ifPresent { () throws(HostError) in try kernel.text(of: path) }
    guard let text else { return nil }
    guard let stat = ProcessStat(text) else {
      throw HostError(
        .read, path, errno: ErrorNumber.invalid.number,
        diagnosis: "“\(text.trimmed.clipped(to: 60))” is not the status of a process")
    }
    return stat
  }
}
