internal import Bytes
internal import Glibc
import HostModel
internal import SystemCalls

/// How a simulated kernel changes its own files.
///
/// Whoever writes *to* the kernel goes through `RecordedKernel`, which never makes a file.
extension RecordedTree {
  /// Puts a text in the place of what an existing file holds.
  func replace(_ text: String, at path: HostPath) throws(HostError) {
    try refuseRunningHost(path)
    defer { TreeMemory.noteChange() }
    let file = try opened(path, O_WRONLY | O_TRUNC, for: .write)
    do {
      try file.write(all: Array(text.utf8))
    } catch {
      throw HostError(.write, path, value: text.trimmed, errno: error.number)
    }
  }

  /// Makes a file, or puts a text in the place of what it holds.
  func create(_ text: String, at path: HostPath) throws(HostError) {
    try makeDirectory(path.parent)
    try put(text, at: resolved(path, for: .write), flags: O_WRONLY | O_TRUNC | O_CREAT)
  }

  /// Writes to a file at a place that is resolved already.
  func put(
    _ text: String, at place: HostPath, flags: Int32, mode: mode_t = 0o644
  ) throws(HostError) {
    defer { TreeMemory.noteChange() }
    do {
      let file = try Descriptor(opening: outside(place), flags | O_NOFOLLOW, mode: mode)
      try file.write(all: Array(text.utf8))
    } catch {
      throw HostError(.write, place, value: text.trimmed, errno: error.number)
    }
  }

  /// Makes a directory and those above it, where they are missing.
  func makeDirectory(_ path: HostPath) throws(HostError) {
    if path.leadsNowhere { throw HostError(.write, path, errno: EINVAL) }
    if exists(path) { return }
    defer { TreeMemory.noteChange() }
    var done = HostPath.root
    for component in path.components {
      done = done.appending(component)
      let place = try resolved(done, for: .write)
      if mkdir(outside(place), 0o755) != 0, errno != EEXIST {
        throw HostError(.write, done, errno: errno)
      }
    }
  }

  /// Makes a link, in the place of an older one.
  func link(_ path: HostPath, to target: String) throws(HostError) {
    try makeDirectory(path.parent)
    try putLink(to: target, at: resolved(path, followsLast: false, for: .write))
  }

  /// Makes a link at a place that is resolved already.
  func putLink(to target: String, at place: HostPath) throws(HostError) {
    defer { TreeMemory.noteChange() }
    if symlink(target, outside(place)) == 0 { return }
    if errno == EEXIST, unlink(outside(place)) == 0, symlink(target, outside(place)) == 0 { return }
    throw HostError(.write, place, value: target, errno: errno)
  }

  /// Moves a file or folder; nothing happens where there is none.
  func move(_ path: HostPath, to newPath: HostPath) throws(HostError) {
    defer { TreeMemory.noteChange() }
    let place = try resolved(path, followsLast: false, for: .write)
    if access(outside(place), F_OK) != 0 { return }
    try makeDirectory(newPath.parent)
    let newPlace = try resolved(newPath, followsLast: false, for: .write)
    if rename(outside(place), outside(newPlace)) != 0 {
      throw HostError(.write, newPath, errno: errno)
    }
  }

  /// Takes away a file, a link, or a folder with all that is in it; absence is no error.
  func remove(_ path: HostPath) throws(HostError) {
    defer { TreeMemory.noteChange() }
    try removeAll(at: resolved(path, followsLast: false, for: .write))
  }

  private func removeAll(at place: HostPath) throws(HostError) {
    if unlink(outside(place)) == 0 || errno == ENOENT || errno == ENOTDIR { return }
    if errno != EISDIR && errno != EPERM { throw HostError(.write, place, errno: errno) }
    for name in try entries(of: place) { try removeAll(at: "\(place)/\(name)") }
    if rmdir(outside(place)) != 0 { throw HostError(.write, place, errno: errno) }
  }

  /// Takes the folder itself away once it is empty.
  func removeRoot() throws(HostError) {
    defer { TreeMemory.noteChange() }
    if rmdir(root) != 0 { throw HostError(.write, root, errno: errno) }
  }
}
