package import Bytes
package import Bytes
package import Glibc
package import HostModel

/// An open file of this process, closed with the value.
package struct Descriptor: ~Copyable {
  package let number: Int32

  /// Takes over what a call that opens a file returned.
  ///
  /// - Throws: The error number, where the call failed.
  package init(_ opened: @autoclosure () -> Int32) throws(CallError) {
    number = try CallError.check(opened())
  }

  /// Opens what a path leads to.
  ///
  /// - Throws: `EINVAL` for a path that leads nowhere.
  package init(opening path: HostPath, _ flags: Int32) throws(CallError) {
    try CallError.check(path)
    try self.init(opening: path.cString, flags)
  }

  /// The same, or makes it, by the bytes of a path with a NUL at their end.
  package init(opening path: [UInt8], _ flags: Int32, mode: mode_t = 0) throws(CallError) {
    number = try CallError.check(
      path.withUnsafeBytes { bytes in
        bytes.assumingMemoryBound(to: CChar.self).baseAddress
          .map { open($0, flags | O_CLOEXEC, mode) } ?? -1
      })
  }

  /// Takes over what is open under a number.
  package init(opened number: Int32) { self.number = number }

  deinit { close(number) }

  /// All bytes up to the end of the file.
  ///
  /// The size that fstat(2) tells is not asked for: files of procfs have none, those of sysfs
  /// always have 4096.
  ///
  /// - Throws: `EFBIG` for more bytes than `limit`.
  package borrowing func bytes(limit: Int) throws(CallError) -> [UInt8] {
    var bytes = try chunk(Self.chunkSize)
    var last = bytes.count
    while last > 0 {
      if bytes.count > limit { throw CallError(number: EFBIG) }
      let next = try chunk(max(Self.chunkSize, bytes.count))
      bytes += next
      last = next.count
    }
    return bytes
  }

  /// Hands on the lines up to the end of the file, one at a time and without the newline; the last one
  /// may have none.
  ///
  /// - Throws: `EFBIG` for more bytes than `limit`, and for a line of more than `longest`.
  package borrowing func readLines(
    limit: Int, longest: Int, _ body: (Span<UInt8>) -> Void
  ) throws(CallError) {
    var rest: [UInt8] = []
    var left = limit
    while true {
      let next = try chunk(Self.lineChunkSize)
      if next.isEmpty { break }
      left -= next.count
      if left < 0 || rest.count > longest { throw CallError(number: EFBIG) }
      rest += next
      var start = 0
      rest.span.passLines(from: &start, body)
      rest.removeFirst(start)
    }
    if !rest.isEmpty { body(rest.span) }
  }

  /// Longer than most lines.
  private static let lineChunkSize = 32 << 10

  /// All bytes of a file that ends where a call gives less than it was asked for, as those of a
  /// disk's or memory's file system do.
  ///
  /// - Throws: `EFBIG` for more bytes than `limit`.
  package borrowing func bytesUpToShortRead(limit: Int) throws(CallError) -> [UInt8] {
    let bytes = try chunk(Self.chunkSize)
    if bytes.count < Self.chunkSize { return bytes }
    return bytes + (try self.bytes(limit: limit - bytes.count))
  }

  /// The bytes at the beginning of a regular file, wherever it has been read to; fewer than `count`
  /// where it ends before.
  package borrowing func bytes(first count: Int) throws(CallError) -> [UInt8] {
    var failure: CallError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
      do throws(CallError) {
        while done < count, let rest = buffer.baseAddress?.advanced(by: done) {
          let read = try CallError.check(retrying: pread(number, rest, count - done, done))
          if read == 0 { return }
          done += read
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// More than any file of sysfs holds, and nearly all of procfs.
  private static let chunkSize = 4096

  /// What one read(2) gives, no more than `size` bytes; nothing at the end of the file.
  private borrowing func chunk(_ size: Int) throws(CallError) -> [UInt8] {
    var failure: CallError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      do throws(CallError) {
        count = try CallError.check(retrying: read(number, buffer.baseAddress, size))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// What fstat(2) tells of the open file.
  package borrowing func status() throws(CallError) -> stat {
    var status = stat()
    try _ = CallError.check(fstat(number, &status))
    return status
  }

  /// Writes all bytes to a regular file.
  package borrowing func write(all bytes: [UInt8]) throws(CallError) {
    var done = 0
    while done < bytes.count {
      let rest = bytes[done...]
      done += try CallError.check(
        retrying: rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) })
    }
  }

  /// Writes in one call and returns the number of bytes that were taken.
  package borrowing func write(once bytes: [UInt8]) throws(CallError) -> Int {
    try CallError.check(retrying: Glibc.write(number, bytes, bytes.count))
  }
}

/// The number of errno(3) that a call failed with.
package struct CallError: Error, Equatable {
  package var number: Int32

  package init(number: Int32) { self.number = number }

  /// - Throws: `EINVAL` for a path that leads nowhere.
  package static func check(_ path: HostPath) throws(CallError) {
    if path.leadsNowhere { throw CallError(number: EINVAL) }
  }

  /// The result of a call that tells a failure by -1 and errno(3).
  package static func check<Result: SignedInteger>(
    _ call: @autoclosure () -> Result
  ) throws(CallError) -> Result {
    let result = call()
    // Nothing stands between the call and this line that could change errno.
    if result < 0 { throw CallError(number: errno) }
    return result
  }

  /// The same of a call that does nothing when a signal interrupts it.
  package static func check<Result: SignedInteger>(
    retrying call: @autoclosure () -> Result
  ) throws(CallError) -> Result {
    while true {
      let result = call()
      if result >= 0 { return result }
      let number = errno
      if number != EINTR { throw CallError(number: number) }
    }
  }

  /// The result of a call that returns the negative of the error number, as CLinux and sd-bus do.
  package static func check<Result: SignedInteger>(
    negated result: Result
  ) throws(CallError) -> Result {
    if result < 0 { throw CallError(number: Int32(-result)) }
    return result
  }
}

extension Deadline {
  /// The moment that it is now, of `CLOCK_MONOTONIC`.
  package static var now: Deadline {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Deadline(
      nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }
}
