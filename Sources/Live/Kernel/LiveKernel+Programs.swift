import Glibc

extension LiveKernel {
  /// Looks at the program itself and at every folder above it, where links lead to.
  package func objection(toRunning path: String) -> String? {
    guard !path.utf8.contains(0), let resolved = realpath(path, nil) else { return "is not there" }
    defer { free(resolved) }
    var place = String(cString: resolved)
    var status = stat()
    guard stat(place, &status) == 0 else { return "is not there" }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o111 != 0 else {
      return "is not a program"
    }
    guard status.st_uid == 0, status.st_mode & 0o022 == 0 else {
      return "could be changed by others than root"
    }
    while let slash = place.lastIndex(of: "/") {
      place = String(place[..<slash])
      guard stat(place.isEmpty ? "/" : place, &status) == 0 else { return "is not there" }
      // In a sticky folder, only the owner of a file can put another in its place.
      let isOpen = status.st_mode & 0o002 != 0 && status.st_mode & S_ISVTX == 0
      guard status.st_uid == 0, !isOpen else {
        return "lies in \(place), which others than root can write to"
      }
    }
    return nil
  }
}
