internal import Bytes
internal import CLinux
import Glibc
import HostModel
internal import SystemCalls

/// A connection to a socket in the file system, closed with the value; nothing waits beyond the
/// deadline.
struct LocalStream: ~Copyable {
  private let socket: Descriptor
  private let deadline: Deadline

  /// - Throws: `EAGAIN` where the listener's queue is full.
  init(to path: HostPath, until deadline: Deadline) throws(CallError) {
    try CallError.check(path)
    let number = try CallError.check(negated: clinux_connect(path.cString))
    socket = try Descriptor(number)
    self.deadline = deadline
  }

  borrowing func send(_ bytes: [UInt8]) throws(CallError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // A signal for a peer that is gone would end the hook.
      let count = rest.withUnsafeBytes {
        Glibc.send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      let number = errno
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if number == EAGAIN {
        try wait(for: POLLOUT)
      } else if number != EINTR {
        throw CallError(number: number)
      }
    }
  }

  /// What comes next, at most `size` bytes; nothing at the end.
  borrowing func receive(atMost size: Int) throws(CallError) -> [UInt8] {
    while true {
      try wait(for: POLLIN)
      var failure: Int32 = 0
      let part = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        let length = recv(socket.number, buffer.baseAddress, size, 0)
        if length < 0 { failure = errno }
        count = max(0, length)
      }
      if failure == 0 { return part }
      if failure != EAGAIN, failure != EINTR { throw CallError(number: failure) }
    }
  }

  /// - Throws: `ETIMEDOUT` when the deadline has passed.
  private borrowing func wait(for events: Int32) throws(CallError) {
    while true {
      let now = Deadline.now
      guard now < deadline else { throw CallError(number: ETIMEDOUT) }
      var entry = pollfd(fd: socket.number, events: Int16(events), revents: 0)
      // Rounded up, as the last millisecond would be spent in asking over and over.
      let left = Int32(clamping: deadline.milliseconds(from: now) + 1)
      let ready = poll(&entry, 1, left)
      if ready > 0 { return }
      if ready < 0, errno != EINTR { throw CallError(number: errno) }
    }
  }
}
