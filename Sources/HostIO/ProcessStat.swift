/// What Berth takes from a line of `/proc/PID/stat` (proc_pid_stat(5)).
package struct ProcessStat: Hashable, Sendable {
  package var parent: Int
  /// The `PF_` bits of include/linux/sched.h.
  package var flags: UInt64
  /// Clock ticks from boot to the start of the process.
  package var startTime: UInt64

  /// nil where the line is not one of `stat`.
  ///
  /// The name in parentheses may hold anything, even parentheses and newlines, so fields are
  /// counted from the last one.
  package init?(_ line: String) {
    guard let close = line.lastIndex(of: ")") else { return nil }
    let fields = line[line.index(after: close)...].split(separator: " ")
    guard fields.count > 19, let parent = Int(fields[1]), let flags = UInt64(fields[6]),
      let startTime = UInt64(fields[19])
    else { return nil }
    self.parent = parent
    self.flags = flags
    self.startTime = startTime
  }
}
