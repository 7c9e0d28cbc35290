internal import Bytes
import CLinux
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
    let folder = try folder(of: place)
    do {
      let file = try Descriptor(
        openat(folder.number, place.lastName, flags | O_NOFOLLOW | O_CLOEXEC, mode))
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
      let error = change(at: place) { mkdirat($0, $1, 0o755) }
      if error != 0, error != EEXIST { throw HostError(.write, done, errno: error) }
    }
  }

  /// Makes a link, in the place of an older one.
  func link(_ path: HostPath, to target: String) throws(HostError) {
    try makeDirectory(path.parent)
    try putLink(to: target, at: resolved(path, followsLast: false, for: .write))
  }

  /// Makes a link at a place that is resolved already; whether something else stood there.
  @discardableResult
  func putLink(to target: String, at place: HostPath) throws(HostError) -> Bool {
    defer { TreeMemory.noteChange() }
    var error = change(at: place) { symlinkat(target, $0, $1) }
    if error == 0 { return false }
    if error == EEXIST { error = change(at: place) { unlinkat($0, $1, 0) } }
    if error == 0 { error = change(at: place) { symlinkat(target, $0, $1) } }
    if error == 0 { return true }
    throw HostError(.write, place, value: target, errno: error)
  }

  /// Moves a file or folder; nothing happens where there is none.
  func move(_ path: HostPath, to newPath: HostPath) throws(HostError) {
    defer { TreeMemory.noteChange() }
    let place = try resolved(path, followsLast: false, for: .write)
    if !hasEntry(place) { return }
    try makeDirectory(newPath.parent)
    let newPlace = try resolved(newPath, followsLast: false, for: .write)
    let folder = try folder(of: place)
    let error = change(at: newPlace) {
      renameat(folder.number, place.lastName, $0, $1)
    }
    if error != 0 { throw HostError(.write, newPath, errno: error) }
  }

  /// Takes away a file, a link, or a folder with all that is in it; absence is no error.
  func remove(_ path: HostPath) throws(HostError) {
    defer { TreeMemory.noteChange() }
    try removeAll(at: resolved(path, followsLast: false, for: .write))
  }

  private func removeAll(at place: HostPath) throws(HostError) {
    var error = change(at: place) { unlinkat($0, $1, 0) }
    if [0, ENOENT, ENOTDIR].contains(error) { return }
    if error != EISDIR && error != EPERM { throw HostError(.write, place, errno: error) }
    for name in try entries(of: place) { try removeAll(at: "\(place)/\(name)") }
    error = change(at: place) { unlinkat($0, $1, AT_REMOVEDIR) }
    if error != 0 { throw HostError(.write, place, errno: error) }
  }

  /// The folder that a place is in, opened: whoever puts a link on the way there meanwhile leads nobody
  /// out of the tree.
  private func folder(of place: HostPath) throws(HostError) -> Descriptor {
    try opened(place.parent, clinux_place_flags() | O_DIRECTORY, for: .write)
  }

  /// Calls the kernel with the folder that a place is in, and the place's name there; the error number of
  /// the call, or of opening the folder, and 0 for none.
  private func change(
    at place: HostPath, _ call: (_ folder: Int32, _ name: [CChar]) -> Int32
  ) -> Int32 {
    do throws(HostError) {
      let folder = try folder(of: place)
      return call(folder.number, place.lastName) == 0 ? 0 : errno
    } catch {
      return error.errno
    }
  }

  /// Takes the folder itself away once it is empty.
  func removeRoot() throws(HostError) {
    defer { TreeMemory.noteChange() }
    if rmdir(root) != 0 { throw HostError(.write, root, errno: errno) }
  }
}

extension HostPath {
  /// The name in the folder above, with a NUL at its end; empty for the root, which no call takes.
  fileprivate var lastName: [CChar] {
    (components.last ?? []).map { CChar(bitPattern: $0) } + [0]
  }
}
