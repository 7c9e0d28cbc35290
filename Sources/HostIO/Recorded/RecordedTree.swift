internal import Glibc
import HostModel

/// The files of a recorded host: a folder that holds `sys/`, `proc/`, `run/` and so on.
///
/// Paths are those of the host. Each is walked from the root of the tree, links included, so that
/// nothing outside the tree is ever read or written: an absolute link starts again at the root,
/// and `..` ends there.
struct RecordedTree {
  /// The folder, without a slash at its end.
  let root: String

  init(root: String) {
    var root = root[...]
    while root.count > 1, root.hasSuffix("/") { root = root.dropLast() }
    self.root = String(root)
  }

  /// The greatest number of links on one path, as in the kernel (path_resolution(7)).
  private static let linksMax = 40

  /// The host's path of the place that a path leads to, without links on the way.
  ///
  /// A link at the path's end is followed only where `followsLast` says so.
  func resolved(
    _ path: String, followsLast: Bool = true, for operation: HostOperation
  ) throws(HostError) -> String {
    if path.utf8.contains(0) { throw HostError(operation, path, errno: EINVAL) }
    if operation == .write && root == "/" {
      throw HostError(.write, path, errno: EROFS, diagnosis: "the running host is no record")
    }
    var rest = Array(path.split(separator: "/").reversed())
    var done = ""
    var links = 0
    while let part = rest.popLast() {
      if part == "." { continue }
      if part == ".." {
        done = String(done[..<(done.lastIndex(of: "/") ?? done.startIndex)])
        continue
      }
      let place = "\(done)/\(part)"
      guard followsLast || !rest.isEmpty, let target = link(at: place) else {
        done = place
        continue
      }
      links += 1
      if links > Self.linksMax { throw HostError(operation, path, errno: ELOOP) }
      if target.hasPrefix("/") { done = "" }
      rest += target.split(separator: "/").reversed()
    }
    return done.isEmpty ? "/" : done
  }

  /// What a link says; nil where there is no link at exactly that place.
  private func link(at place: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(root + place, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }

  func destination(of path: String) throws(HostError) -> String {
    let place = try resolved(path, followsLast: false, for: .follow)
    if let target = link(at: place) { return target }
    let number = access(root + place, F_OK) == 0 ? EINVAL : ENOENT
    throw HostError(.follow, path, errno: number)
  }

  func entries(of path: String) throws(HostError) -> [String] {
    try names(at: resolved(path, for: .list))
  }

  /// The names in a directory at a place that is resolved already.
  func names(at place: String) throws(HostError) -> [String] {
    guard let directory = opendir(root + place) else {
      throw HostError(.list, place, errno: errno)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  func text(of path: String) throws(HostError) -> String {
    let place = try resolved(path, for: .read)
    let file = open(root + place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    if file < 0 { throw HostError(.read, path, errno: errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(file, &buffer, buffer.count)
      if count < 0 { throw HostError(.read, path, errno: errno) }
      if count == 0 { break }
      bytes += buffer[..<count]
      if bytes.count > 4 << 20 { throw HostError(.read, path, errno: EFBIG) }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HostError(.read, path, errno: EINVAL, diagnosis: "not UTF-8")
    }
    return text
  }

  /// Whether something stands at a path, wherever a link there leads.
  func exists(_ path: String) -> Bool {
    guard let place = try? resolved(path, for: .read) else { return false }
    return access(root + place, F_OK) == 0
  }
}
