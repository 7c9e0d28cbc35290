import Glibc

extension sockaddr_un {
  /// The address of a socket in the file system.
  package init(_ path: String) {
    self.init()
    sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &sun_path) { bytes in
      precondition(path.utf8.count < bytes.count, "too long a path for a socket")
      bytes.copyBytes(from: path.utf8)
    }
  }
}
