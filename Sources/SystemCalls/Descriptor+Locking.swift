internal import Glibc
package import HostModel

extension Descriptor {
  /// Locks the open file for this process alone (flock(2)), and waits for that until the deadline.
  ///
  /// flock(2) has no time limit, and to end it by a signal would take a handler in a process that
  /// otherwise needs none. A lock is held for milliseconds as a rule, so that asking again and
  /// again, ever more slowly, finds it free soon enough.
  ///
  /// - Throws: `ETIMEDOUT` when the deadline passed.
  package borrowing func lock(until deadline: Deadline) throws(CallError) {
    var pause = 1
    while true {
      do throws(CallError) {
        try _ = CallError.check(retrying: flock(number, LOCK_EX | LOCK_NB))
        return
      } catch {
        if error.number != EWOULDBLOCK { throw error }
      }
      let left = deadline.milliseconds(from: .now)
      if left == 0 { throw CallError(number: ETIMEDOUT) }
      var time = timespec(tv_sec: 0, tv_nsec: min(pause, left) * 1_000_000)
      nanosleep(&time, nil)
      pause = min(pause * 2, 20)
    }
  }
}
