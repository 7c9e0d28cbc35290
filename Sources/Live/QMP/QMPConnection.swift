internal import Bytes
internal import Formats
internal import Glibc
internal import HostModel
internal import SystemCalls

/// One connection to the QMP monitor of a QEMU, closed with the value.
struct QMPConnection: ~Copyable {
  /// The most bytes that a QEMU may send: its answer on 4096 vCPUs has one million.
  static let capacity = 4 << 20

  private let stream: LocalStream
  private var received: [UInt8] = []
  /// Where the line begins that is to be read next, and how far it was looked for its end.
  private var start = 0
  private var searched = 0
  private var lastID = 0

  init(_ path: HostPath, until deadline: Deadline) throws(QMPFailure) {
    do throws(CallError) {
      stream = try LocalStream(to: path, until: deadline)
    } catch {
      throw .call(error)
    }
  }

  /// Waits for the greeting.
  ///
  /// A monitor serves one client at a time. The others wait in line: the kernel lets them connect,
  /// and the greeting comes when it is their turn.
  mutating func awaitGreeting() throws(QMPFailure) {
    while try message() != .greeting {}
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
    let part: [UInt8]
    do throws(CallError) {
      part = try stream.receive(atMost: max(16384, received.count - start))
    } catch {
      throw QMPFailure(error)
    }
    if part.isEmpty { throw .closed }
    received += part
  }

  private borrowing func send(_ bytes: [UInt8]) throws(QMPFailure) {
    do throws(CallError) {
      try stream.send(bytes)
    } catch {
      throw QMPFailure(error)
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

  init(_ error: CallError) {
    self = error.number == ETIMEDOUT ? .timedOut : .call(error)
  }

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
