package import Bytes
import Glibc

extension LiveKernel {
  /// Looks at the program itself and at every folder above it, where links lead to.
  package func objection(toRunning path: HostPath) -> String? {
    guard !path.leadsNowhere, let resolved = realpath(path.cString, nil) else {
      return "is not there"
    }
    defer { free(resolved) }
    var status = stat()
    guard stat(resolved, &status) == 0,
      var place = HostPath(
        parsing: UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    else { return "is not there" }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o111 != 0 else {
      return "is not a program"
    }
    guard status.st_uid == 0, status.st_mode & 0o022 == 0 else {
      return "could be changed by others than root"
    }
    while place != .root {
      place = place.parent
      guard stat(place.cString, &status) == 0 else { return "is not there" }
      // In a sticky folder, only the owner of a file can put another in its place.
      let isOpen = status.st_mode & 0o002 != 0 && status.st_mode & S_ISVTX == 0
      guard status.st_uid == 0, !isOpen else {
        return "lies in \(place), which others than root can write to"
      }
    }
    return nil
  }
}
