internal import Glibc
internal import HostModel

/// A file that the caller named to be written; `-` stands for standard output.
struct OutputFile {
  private let path: String

  init(_ path: String) { self.path = path }

  /// Writes the whole text, over what was there.
  ///
  /// - Throws: `HostError` with the path and what open(2) or write(2) says.
  func write(_ text: String) throws(HostError) { try write(Array(text.utf8), mode: 0o644) }

  private func write(
    _ bytes: [UInt8], mode: mode_t, flags: Int32 = O_TRUNC
  ) throws(HostError) {
    let isStandardOutput = path == "-"
    let descriptor =
      isStandardOutput ? 1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode)
    guard descriptor >= 0 else { throw HostError(.write, path, errno: errno) }
    defer { if !isStandardOutput { close(descriptor) } }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw HostError(.write, path, errno: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Puts a new file in the place of the old one, so that no reader ever sees a part of it.
  func replace(_ text: String) throws(HostError) { try replace(Array(text.utf8), mode: 0o644) }

  /// The same with any bytes, in a file of this mode.
  func replace(_ bytes: [UInt8], mode: mode_t) throws(HostError) {
    let new = "\(path).\(getpid())"
    do throws(HostError) {
      // What somebody may have put there is not followed.
      try OutputFile(new).write(bytes, mode: mode, flags: O_EXCL)
      guard rename(new, path) == 0 else { throw HostError(.write, path, errno: errno) }
    } catch {
      unlink(new)
      throw error
    }
  }
}
