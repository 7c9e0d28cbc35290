import CLinux
internal import Glibc
package import HostModel

/// A folder of this process alone, which goes away with the value, or with the process however
/// that ends.
///
/// A process of its own sees to it: neither a signal nor an error leaves anything behind.
package final class TemporaryFolder {
  package let path: String
  private let keeper: Int32
  private let child: Int32

  /// Makes the folder in `$TMPDIR`, or else in `/dev/shm`, or else in `/tmp`.
  ///
  /// A capture is thousands of small files, for which a busy disk takes seconds, and memory none.
  package init() throws(HostError) {
    let named = getenv("TMPDIR").map { String(cString: $0) }
    let place = named ?? (access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp")
    var template = Array("\(place)/berth-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw HostError(.write, place, errno: errno) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    var child: Int32 = 0
    let keeper = clinux_keep_folder(path, &child)
    if keeper < 0 {
      rmdir(path)
      throw HostError(.call, "fork", errno: -keeper)
    }
    self.keeper = keeper
    self.child = child
  }

  deinit { clinux_drop_folder(keeper, child) }
}
