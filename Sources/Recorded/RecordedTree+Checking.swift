internal import Bytes
internal import Glibc
import HostModel

/// Whether a folder is a recorded host at all.
extension RecordedTree {
  var isFolder: Bool {
    var status = stat()
    return stat(root, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// - Throws: For a folder that holds no host, and for one in which a link stands on the way to
  ///   what Berth opens by itself, its ledger and its policy: nothing outside of the folder is to be
  ///   read or written.
  func checkHost(named place: String) throws(HostError) {
    guard hasEntry("/") else { throw HostError(.read, place, errno: EACCES) }
    guard exists("/sys") || exists("/proc") else {
      throw HostError(
        .read, place, diagnosis: "it is no recorded host: it holds neither sys/ nor proc/")
    }
    // `/` is the host itself, whose links are its own.
    if root == "/" { return }
    for path: HostPath in ["/run", "/etc"] where isLink(path) {
      throw HostError(
        .read, "\(place)\(path)", diagnosis: "it is a link, which may lead out of the recorded host"
      )
    }
  }

  private func isLink(_ path: HostPath) -> Bool {
    var status = stat()
    return lstat(outside(path), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }
}
