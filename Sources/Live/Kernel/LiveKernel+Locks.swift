package import Bytes
import Glibc
package import HostModel
internal import SystemCalls

extension LiveKernel {
  package func whileLocked(
    _ path: HostPath, until deadline: Deadline, _ body: () throws(HostError) -> Void
  ) throws(HostError) {
    guard let file = try lockFile(path) else { return try body() }
    do throws(CallError) {
      try file.lock(until: deadline)
    } catch {
      throw HostError(.lock, path, errno: error.number)
    }
    // Closed, and with it unlocked, when `file` goes.
    try body()
  }

  /// The open file of another program's lock; nil where it has none yet.
  ///
  /// Such files lie in `/run/lock`, where anybody may put one: a link is not followed, nothing is
  /// made, and nothing written.
  private func lockFile(_ path: HostPath) throws(HostError) -> Descriptor? {
    do throws(CallError) {
      return try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch {
      if error.number == ENOENT { return nil }
      throw HostError(.lock, path, errno: error.number)
    }
  }
}
