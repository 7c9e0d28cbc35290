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
  /// `comm`.
  var name: String
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
    let bytes = Array(text.utf8)
    guard let start = bytes.firstIndex(of: UInt8(ascii: "(")),
      let end = bytes.lastIndex(of: UInt8(ascii: ")")), start < end
    else { return nil }
    let rest = bytes[(end + 1)...]
    // The first of these is field 3 of proc(5); those after field 22 are not asked for.
    let fields = rest.split(separator: UInt8(ascii: " "), maxSplits: 20)
    guard fields.count >= 20, let parent = fields[1].decimal, let flags = fields[6].decimal,
      let startTime = fields[19].decimal
    else { return nil }
    name = String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
    state = String(decoding: fields[0], as: UTF8.self)
    self.parent = parent
    self.flags = flags
    self.startTime = UInt64(startTime)
  }

  /// Whether it is a thread of the kernel (`PF_KTHREAD`).
  var isKernelThread: Bool { flags & 0x0020_0000 != 0 }
}
