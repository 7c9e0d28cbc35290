internal import Bytes
import HostModel

/// What proc(5) says in the one line of `/proc/PID/stat`.
package struct ProcessStat {
  /// `comm`.
  package var name: String
  package var state: String
  package var parent: Int
  /// `PF_…` of <linux/sched.h>.
  package var flags: Int
  package var startTime: UInt64

  /// Nil for a text that is no such line.
  ///
  /// The second field is the name in parentheses, which may itself hold blanks and parentheses:
  /// the fields are counted from the last one on.
  package init?(_ text: String) {
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
  package var isKernelThread: Bool { flags & 0x0020_0000 != 0 }
}
