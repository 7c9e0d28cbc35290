import Glibc
internal import HostModel
internal import SystemCalls

/// An open file of a `RootOwnedDirectory`, which nobody but root can change.
///
/// For as long as it is open its inode has no other use, so that a file with the same status is this
/// one, with the same bytes.
package final class RootOwnedFile {
  private let descriptor: Descriptor
  private let place: String
  /// As it was when the file was opened, or written.
  let status: FileStatus

  init(_ descriptor: consuming Descriptor, _ place: String) throws(HostError) {
    do {
      status = try FileStatus(of: descriptor)
    } catch {
      throw HostError(.read, place, errno: error.number)
    }
    self.descriptor = descriptor
    self.place = place
  }

  /// The bytes at the beginning of the file, or all of them.
  ///
  /// - Throws: `EFBIG` for more bytes than `limit`.
  func bytes(first count: Int? = nil, limit: Int) throws(HostError) -> [UInt8] {
    if status.size > limit {
      throw HostError(.read, place, errno: EFBIG, diagnosis: "it has more than \(limit) bytes")
    }
    do {
      return try descriptor.bytes(first: min(count ?? .max, status.size))
    } catch {
      throw HostError(.read, place, errno: error.number)
    }
  }
}

/// What tells a file from all others, and from itself before a change.
struct FileStatus: Equatable {
  private let device: UInt
  private let inode: UInt
  let size: Int
  /// Seconds and nanoseconds of the last change of the bytes, and of anything.
  private let times: [Int]

  init(of file: borrowing Descriptor) throws(CallError) {
    var status = stat()
    try _ = CallError.check(fstat(file.number, &status))
    self.init(status)
  }

  /// - Throws: `ENOENT` where there is none of the name. A link is not followed.
  init(of name: String, in directory: borrowing Descriptor) throws(CallError) {
    var status = stat()
    try _ = CallError.check(fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW))
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    size = Int(status.st_size)
    times = [
      status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
    ]
  }
}
