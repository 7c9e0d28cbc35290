package import HostModel

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
  func stat(at path: String) throws(HostError) -> ProcessStat? {
    guard let text = try kernel.wordIfPresent(of: path) else { return nil }
    guard let stat = ProcessStat(text) else {
      throw HostError(
        .read, path, errno: ErrorNumber.invalid.number,
        diagnosis: "“\(text.prefix(60))” is not the status of a process")
    }
    return stat
  }
}

/// What proc(5) says in the one line of `/proc/PID/stat`.
struct ProcessStat {
  var state: String
  var parent: Int
  /// `PF_…` of <linux/sched.h>.
  var flags: Int
  var startTime: UInt64

  /// Nil for a text that is no such line.
  ///
  /// The second field is the name in parentheses, which may itself hold blanks and parentheses:
  /// the fields are counted from the last one on.
  init?(_ text: String) {
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    // The first of these is field 3 of proc(5).
    guard fields.count >= 20, let parent = Int(fields[1]), let flags = Int(fields[6]),
      let startTime = UInt64(fields[19])
    else { return nil }
    state = String(fields[0])
    self.parent = parent
    self.flags = flags
    self.startTime = startTime
  }

  /// Whether it is a thread of the kernel (`PF_KTHREAD`).
  var isKernelThread: Bool { flags & 0x0020_0000 != 0 }
}
