internal import Bytes
import CLinux
internal import Formats
internal import Glibc
import HostModel
internal import Port
internal import SystemCalls

/// The files of a recorded host: a folder that holds `sys/`, `proc/`, `run/` and so on.
///
/// Paths are those of the host. Each is walked from the root of the tree, links included, so that
/// nothing outside the tree is ever read or written: an absolute link starts again at the root,
/// and `..` ends there.
struct RecordedTree {
  /// The folder, without a slash at its end.
  let root: String
  private let top: TreeRoot
  let threads = ThreadFolders()
  let memory = TreeMemory()

  init(root: String) {
    var root = root[...]
    while root.utf8.count > 1, let rest = root.rest(before: "/") { root = rest }
    self.root = String(root)
    top = TreeRoot(self.root)
  }

  /// The place that a path leads to, without links on the way.
  ///
  /// A link at the path's end is followed only where `followsLast` says so.
  func resolved(
    _ path: HostPath, followsLast: Bool = true, for operation: HostOperation
  ) throws(HostError) -> HostPath {
    if path.leadsNowhere { throw HostError(operation, path, errno: EINVAL) }
    if operation == .write && root == "/" {
      throw HostError(.write, path, errno: EROFS, diagnosis: "the running host is no record")
    }
    let place = PathWalk.place(of: path, followsLast: followsLast, link: link)
    guard let place else { throw HostError(operation, path, errno: ELOOP) }
    return place
  }

  /// The path on this machine of a place without links on the way, with a NUL at its end.
  func outside(_ place: HostPath) -> [UInt8] { root.utf8 + place.cString }

  /// What a link says; nil where there is no link at exactly that place.
  private func link(at place: HostPath) -> [UInt8]? {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(outside(place), start, buffer.count)
      return count < 0 ? nil : Array(buffer[..<count])
    }
  }

  /// Opens what stands at a path.
  ///
  /// The kernel itself can keep a path below a folder, in one call instead of one for each step;
  /// where it cannot, the path is walked here.
  func opened(
    _ path: HostPath, _ flags: Int32, for operation: HostOperation
  ) throws(HostError) -> Descriptor {
    if path.leadsNowhere { throw HostError(operation, path, errno: EINVAL) }
    do {
      return try top.opened(path, flags)
    } catch {
      guard Self.isToBeWalked(error) else {
        throw HostError(operation, path, errno: error.number)
      }
    }
    return try walked(path, flags, for: operation)
  }

  /// Whether the kernel cannot keep a path below a folder, or not at this moment.
  private static func isToBeWalked(_ error: CallError) -> Bool {
    [ENOSYS, EPERM, EAGAIN, EXDEV].contains(error.number)
  }

  func walked(
    _ path: HostPath, _ flags: Int32, for operation: HostOperation
  ) throws(HostError) -> Descriptor {
    let followsLast = flags & O_NOFOLLOW == 0
    let place = try resolved(path, followsLast: followsLast, for: operation)
    do {
      return try Descriptor(opening: outside(place), flags | O_NOFOLLOW)
    } catch {
      throw HostError(operation, path, errno: error.number)
    }
  }

  func destination(of path: HostPath) throws(HostError) -> String {
    let link = try opened(path, clinux_link_flags(), for: .follow)
    do {
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = try CallError.check(
        negated: clinux_read_link(link.number, &buffer, buffer.count))
      return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    } catch {
      throw HostError(.follow, path, errno: error.number)
    }
  }

  func entries(of path: HostPath) throws(HostError) -> [String] {
    let directory = try opened(path, O_RDONLY | O_DIRECTORY, for: .list)
    do {
      return try DirectoryNames.read(of: directory)
    } catch {
      throw HostError(.list, path, errno: error.number)
    }
  }

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    // Nobody waits for the other end of a pipe that somebody put there.
    let flags = O_RDONLY | O_NONBLOCK
    if path.leadsNowhere { throw HostError(.read, path, errno: EINVAL) }
    do {
      return try top.bytes(of: path, flags)
    } catch {
      guard error.number == EFBIG || Self.isToBeWalked(error) else {
        throw HostError(.read, path, errno: error.number)
      }
    }
    return try manyBytes(of: path, flags)
  }

  private func manyBytes(of path: HostPath, _ flags: Int32) throws(HostError) -> [UInt8] {
    let file = try opened(path, flags, for: .read)
    do {
      return try file.bytesUpToShortRead(limit: RecordedHost.textLimit)
    } catch {
      throw HostError(.read, path, errno: error.number)
    }
  }

  func text(of path: HostPath) throws(HostError) -> String {
    String(decoding: try bytes(of: path), as: UTF8.self)
  }

  /// A file's text; nil where there is none.
  func textIfPresent(of path: HostPath) throws(HostError) -> String? {
    if path.leadsNowhere { return nil }
    do throws(HostError) {
      return try text(of: path)
    } catch  where error.isAbsence {
      return nil
    }
  }

  /// Whether something stands at a path, wherever a link there leads.
  func exists(_ path: HostPath) -> Bool { hasPlace(path, clinux_place_flags()) }

  /// The same; a link counts by itself.
  func hasEntry(_ path: HostPath) -> Bool { hasPlace(path, clinux_link_flags()) }

  /// Whether a file may be run, by its mode.
  func isExecutable(_ path: HostPath) -> Bool {
    guard let place = try? opened(path, clinux_place_flags(), for: .read) else { return false }
    var status = stat()
    return fstat(place.number, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && status.st_mode & 0o111 != 0
  }

  private func hasPlace(_ path: HostPath, _ flags: Int32) -> Bool {
    do throws(HostError) {
      _ = try opened(path, flags, for: .read)
      return true
    } catch {
      return false
    }
  }
}
