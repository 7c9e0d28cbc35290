package import Bytes
import Glibc
package import HostModel
internal import Port
internal import SystemCalls

extension LiveKernel {
  package func whileLocked<Result>(
    _ path: HostPath, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    guard let file = try lockFile(path) else { return try body() }
    do throws(CallError) {
      try lock(file, until: deadline)
    } catch {
      throw HostError(
        .lock, path, errno: error.number,
        diagnosis: holder(of: file).map { "process \($0) holds it" })
    }
    // Closed, and with it unlocked, when `file` goes.
    return try withExtendedLifetime(consume file) { _ in try body() }
  }

  /// The open file of another program's lock; nil where it has none yet, or where another user has
  /// put the file there.
  ///
  /// Such files lie in `/run/lock`, where anybody may put one: a link is not followed, nothing is
  /// made, and nothing written.
  private func lockFile(_ path: HostPath) throws(HostError) -> Descriptor? {
    do throws(CallError) {
      let file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      let status = try file.status()
      guard status.st_uid == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      return file
    } catch {
      if [ENOENT, ELOOP, ENXIO].contains(error.number) { return nil }
      throw HostError(.lock, path, errno: error.number)
    }
  }

  private static let lookMilliseconds = 1_000

  /// Waits for a lock, unless it is a process of another user that holds it: anybody who can open the
  /// file can, and root's program would not.
  private func lock(_ file: borrowing Descriptor, until deadline: Deadline) throws(CallError) {
    var patience = now
    while true {
      do throws(CallError) {
        return try file.lock(until: patience)
      } catch {
        if error.number != ETIMEDOUT || patience >= deadline { throw error }
      }
      if let pid = holder(of: file), !isRoots(pid) { return }
      patience = min(deadline, now.advanced(byMilliseconds: Self.lookMilliseconds))
    }
  }

  /// The process that holds a lock of flock(2) on an open file, as proc_locks(5) tells; nil where it
  /// does not.
  private func holder(of file: borrowing Descriptor) -> Int? {
    // Without the table nobody is known, and the lock is waited for.
    guard let status = try? file.status(), let table = try? bytes(of: "/proc/locks") else {
      return nil
    }
    // As makedev(3) puts them together.
    let device = UInt64(status.st_dev)
    let major = device >> 8 & 0xfff | device >> 32 & ~0xfff
    let minor = device & 0xff | device >> 12 & ~0xff
    let place = "\(Self.padded(major)):\(Self.padded(minor)):\(status.st_ino)"
    for line in String(decoding: table, as: UTF8.self).lines {
      let words = line.fields(at: " ")
      if words.count >= 6, words[1] == "FLOCK", words[5] == place[...] { return Int(words[4]) }
    }
    return nil
  }

  /// As fs/locks.c, `lock_get_status()`, prints a device's numbers.
  private static func padded(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return digits.utf8.count < 2 ? "0" + digits : digits
  }

  /// Whether a process is root's, by the owner of its directory (proc(5)).
  private func isRoots(_ pid: Int) -> Bool {
    let directory: HostPath = "/proc/\(pid)"
    var status = stat()
    return stat(directory.cString, &status) != 0 || status.st_uid == 0
  }
}
