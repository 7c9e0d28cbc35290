internal import Bytes
import CLinux
internal import Glibc
internal import SystemCalls

/// The folder of a recorded host, opened once for all that is read in it.
final class TreeRoot {
  private let path: String
  private var descriptor: Int32 = -1
  /// Where files are read to: there are thousands of them, and nearly all fit.
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)

  init(_ path: String) { self.path = path }

  deinit {
    forget()
    buffer.deallocate()
  }

  /// Opens what a path leads to below the folder, and nothing outside of it.
  func opened(_ place: HostPath, _ flags: Int32) throws(CallError) -> Descriptor {
    Descriptor(opened: try below { clinux_open_below($0, place.cString, flags) })
  }

  /// The bytes of a file below the folder, which is in memory or on a disk and so ends where a call
  /// gives less than it was asked for.
  ///
  /// - Throws: `EFBIG` for one that does not fit.
  func bytes(of place: HostPath, _ flags: Int32) throws(CallError) -> [UInt8] {
    guard let start = buffer.baseAddress else { throw CallError(number: EFBIG) }
    let count = try below { clinux_read_below($0, place.cString, flags, start, buffer.count) }
    if count == buffer.count { throw CallError(number: EFBIG) }
    return Array(buffer[..<count])
  }

  /// Calls the kernel with the folder's number.
  private func below<Result: SignedInteger>(
    _ call: (Int32) -> Result
  ) throws(CallError) -> Result {
    for _ in 0..<2 {
      if descriptor < 0 { descriptor = try CallError.check(negated: clinux_open_root(path)) }
      let result = call(descriptor)
      if result >= 0 { return result }
      guard result == -Result(ESTALE) else { throw CallError(number: -Int32(result)) }
      // Another folder may stand under its name by now.
      forget()
    }
    throw CallError(number: ENOENT)
  }

  private func forget() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}
