internal import CLinux
internal import Glibc
internal import HostModel

/// One connection to the QMP monitor of a QEMU, closed with the value.
struct QMPConnection: ~Copyable {
  /// The most bytes that a QEMU may send: its answer on 4096 vCPUs has one million.
  static let capacity = 8 << 20

  private let socket: Descriptor
  private let deadline: Deadline
  private var received: [UInt8] = []
  /// Where the line begins that is to be read next, and how far it was looked for its end.
  private var start = 0
  private var searched = 0
  private var lastID = 0

  init(_ path: String, until deadline: Deadline) throws(QMPFailure) {
    self.deadline = deadline
    socket = try Self.connected(to: path)
  }

  /// Waits for the greeting.
  ///
  /// A monitor serves one client at a time. The others wait in line: the kernel lets them connect,
  /// and the greeting comes when it is their turn.
  mutating func awaitGreeting() throws(QMPFailure) {
    while try message() != .greeting {}
  }

  private static func connected(to path: String) throws(QMPFailure) -> Descriptor {
    do throws(CallError) {
      let number = try CallError.check(negated: clinux_connect(path))
      return try Descriptor(number)
    } catch {
      throw .call(error)
    }
  }

  /// The result of a command without arguments.
  mutating func result(of command: String) throws(QMPFailure) -> JSONValue {
    lastID += 1
    try send(Array("{\"execute\":\"\(command)\",\"id\":\(lastID)}\n".utf8))
    while true {
      switch try message() {
      case .result(let value, id: lastID): return value
      case .refusal(let reason, id: lastID): throw .refused(reason)
      // What QEMU could not read as a command at all has no number.
      case .refusal(let reason, id: nil): throw .refused(reason)
      case .event: continue
      default: throw .answer(QMPAnswerError("it answers something that was not asked"))
      }
    }
  }

  private mutating func message() throws(QMPFailure) -> QMPMessage {
    let line = try line()
    do throws(QMPAnswerError) {
      return try QMPMessage(line)
    } catch {
      throw .answer(error)
    }
  }

  /// The next line that is not empty, without its end.
  private mutating func line() throws(QMPFailure) -> [UInt8] {
    while true {
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = received[start..<end]
        start = end + 1
        searched = start
        if line.contains(where: { $0 != UInt8(ascii: "\r") }) { return Array(line) }
        continue
      }
      searched = received.count
      try receive()
    }
  }

  private mutating func receive() throws(QMPFailure) {
    if received.count > Self.capacity {
      throw .answer(QMPAnswerError("it sends more than any QEMU has to say"))
    }
    try wait(for: POLLIN)
    let size = max(16384, received.count - start)
    var failure: Int32 = 0
    let part = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let length = recv(socket.number, buffer.baseAddress, size, 0)
      if length < 0 { failure = errno }
      count = max(0, length)
    }
    if failure == EAGAIN || failure == EINTR { return }
    if failure != 0 { throw .call(CallError(number: failure)) }
    if part.isEmpty { throw .closed }
    received += part
  }

  private func send(_ bytes: [UInt8]) throws(QMPFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // A signal for a monitor that is gone would end the hook.
      let count = rest.withUnsafeBytes {
        Glibc.send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      let number = errno
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if number == EAGAIN {
        try wait(for: POLLOUT)
      } else if number != EINTR {
        throw .call(CallError(number: number))
      }
    }
  }

  private func wait(for events: Int32) throws(QMPFailure) {
    while true {
      let now = Deadline.now
      guard now < deadline else { throw .timedOut }
      var entry = pollfd(fd: socket.number, events: Int16(events), revents: 0)
      // Rounded up, as the last millisecond would be spent in asking over and over.
      let left = Int32(clamping: deadline.milliseconds(from: now) + 1)
      let ready = poll(&entry, 1, left)
      if ready > 0 { return }
      if ready < 0, errno != EINTR { throw .call(CallError(number: errno)) }
    }
  }
}

/// Why a session did not come to its end.
enum QMPFailure: Error, Equatable {
  case call(CallError)
  /// QEMU closed the connection.
  case closed
  case timedOut
  case refused(String)
  case answer(QMPAnswerError)

  /// Whether the next attempt may succeed: the monitor is busy, or just being left by somebody.
  var isPassing: Bool {
    switch self {
    case .call(let error):
      [EAGAIN, ECONNREFUSED, ECONNRESET, EPIPE, EINTR].contains(error.number)
    case .closed: true
    default: false
    }
  }
}
