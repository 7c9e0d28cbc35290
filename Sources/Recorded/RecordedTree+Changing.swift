internal import Bytes
internal import Glibc
import HostModel

/// How a simulated kernel changes its own files.
///
/// Whoever writes *to* the kernel goes through `RecordedKernel`, which never makes a file.
extension RecordedTree {
  /// Puts a text in the place of what an existing file holds.
  func replace(_ text: String, at path: String) throws(HostError) {
    try put(text, at: resolved(path, for: .write), flags: O_WRONLY | O_TRUNC)
  }

  /// Makes a file, or puts a text in the place of what it holds.
  func create(_ text: String, at path: String) throws(HostError) {
    let directory = path.fields(at: "/").dropLast().map { "/\($0)" }.joined()
    try makeDirectory(directory)
    try put(text, at: resolved(path, for: .write), flags: O_WRONLY | O_TRUNC | O_CREAT)
  }

  /// Writes to a file at a place that is resolved already.
  func put(
    _ text: String, at place: String, flags: Int32, mode: mode_t = 0o644
  ) throws(HostError) {
    let file = open(root + place, flags | O_CLOEXEC | O_NOFOLLOW, mode)
    if file < 0 { throw HostError(.write, place, value: text.trimmed, errno: errno) }
    defer { close(file) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0 { throw HostError(.write, place, value: text.trimmed, errno: errno) }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Makes a directory and those above it, where they are missing.
  func makeDirectory(_ path: String) throws(HostError) {
    if exists(path) { return }
    var done = ""
    for part in path.fields(at: "/") {
      done += "/\(part)"
      let place = try resolved(done, for: .write)
      if mkdir(root + place, 0o755) != 0, errno != EEXIST {
        throw HostError(.write, done, errno: errno)
      }
    }
  }

  /// Makes a link, in the place of an older one.
  func link(_ path: String, to target: String) throws(HostError) {
    let directory = path.fields(at: "/").dropLast().map { "/\($0)" }.joined()
    try makeDirectory(directory)
    try putLink(to: target, at: resolved(path, followsLast: false, for: .write))
  }

  /// Makes a link at a place that is resolved already.
  func putLink(to target: String, at place: String) throws(HostError) {
    if symlink(target, root + place) == 0 { return }
    if errno == EEXIST, unlink(root + place) == 0, symlink(target, root + place) == 0 { return }
    throw HostError(.write, place, value: target, errno: errno)
  }

  /// Moves a file or folder; nothing happens where there is none.
  func move(_ path: String, to newPath: String) throws(HostError) {
    let place = try resolved(path, followsLast: false, for: .write)
    if access(root + place, F_OK) != 0 { return }
    let directory = newPath.fields(at: "/").dropLast().map { "/\($0)" }.joined()
    try makeDirectory(directory)
    let newPlace = try resolved(newPath, followsLast: false, for: .write)
    if rename(root + place, root + newPlace) != 0 {
      throw HostError(.write, newPath, errno: errno)
    }
  }

  /// Takes away a file, a link, or a folder with all that is in it; absence is no error.
  func remove(_ path: String) throws(HostError) {
    try removeAll(at: resolved(path, followsLast: false, for: .write))
  }

  private func removeAll(at place: String) throws(HostError) {
    if unlink(root + place) == 0 || errno == ENOENT || errno == ENOTDIR { return }
    if errno != EISDIR && errno != EPERM { throw HostError(.write, place, errno: errno) }
    for name in try entries(of: place) { try removeAll(at: "\(place)/\(name)") }
    if rmdir(root + place) != 0 { throw HostError(.write, place, errno: errno) }
  }

  /// Takes the folder itself away once it is empty.
  func removeRoot() throws(HostError) {
    if rmdir(root) != 0 { throw HostError(.write, root, errno: errno) }
  }
}
