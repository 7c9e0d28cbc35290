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
  package init?(_ text: String) { self.init(text.utf8.span) }

  /// Nil for bytes that are no such line.
  ///
  /// The second field is the name in parentheses, which may itself hold blanks and parentheses:
  /// the fields are counted from the last one on. Those after field 22 are not looked at.
  package init?(_ line: Span<UInt8>) {
    guard let opening = line.firstIndex(of: UInt8(ascii: "(")),
      let closing = line.lastIndex(of: UInt8(ascii: ")")), opening < closing
    else { return nil }
    // Fields 3, 4, 9 and 22 of proc(5).
    var place = closing + 1
    guard let state = line.nextField(from: &place),
      let parent = line.nextField(from: &place).flatMap({ line.decimal(in: $0) }),
      let flags = line.nextField(from: &place, passing: 4).flatMap({ line.decimal(in: $0) }),
      let startTime = line.nextField(from: &place, passing: 12).flatMap({ line.decimal(in: $0) })
    else { return nil }
    name = line.text(in: (opening + 1)..<closing)
    self.state = line.text(in: state)
    self.parent = parent
    self.flags = flags
    self.startTime = UInt64(startTime)
  }

  /// Whether it is a thread of the kernel (`PF_KTHREAD`).
  package var isKernelThread: Bool { flags & 0x0020_0000 != 0 }

  /// Whether the kernel refuses to change the CPUs of the task (`PF_NO_SETAFFINITY`).
  package var isBoundByKernel: Bool { flags & 0x0400_0000 != 0 }
}
