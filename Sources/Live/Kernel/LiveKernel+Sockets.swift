package import Bytes
import Glibc
package import HostModel
internal import SystemCalls

extension LiveKernel {
  private static let answerLimit = 64 << 10

  package func ask(
    _ question: String, at socket: HostPath, until deadline: Deadline
  ) throws(HostError) -> String {
    let bytes: [UInt8]
    do throws(CallError) {
      bytes = try Self.exchange(question, at: socket, until: deadline)
    } catch {
      throw HostError(.connect, socket, value: question, errno: error.number)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HostError(
        .connect, socket, value: question, errno: EINVAL, diagnosis: "its answer is not UTF-8")
    }
    return text
  }

  package func tell(
    _ order: String, at socket: HostPath, until deadline: Deadline
  ) throws(HostError) {
    do throws(CallError) {
      _ = try Self.exchange(order, at: socket, until: deadline)
    } catch {
      throw HostError(.write, socket, value: order, errno: error.number)
    }
  }

  /// Sends one message and takes what comes until the other side ends the connection.
  ///
  /// The message goes out only once the other side has taken the connection and is about to read: a
  /// program that answers somebody who has left dies of it (`SIGPIPE`), as irqbalance does, which
  /// sleeps for seconds at times. One that does not come to it in time is sent what means nothing,
  /// so that it has nothing to answer, and nothing is done later that was given up.
  private static func exchange(
    _ message: String, at socket: HostPath, until deadline: Deadline
  ) throws(CallError) -> [UInt8] {
    // From the moment that it listens it answers at once, and is not to be left before.
    let stream = try LocalStream(
      to: socket, until: deadline.advanced(byMilliseconds: answerTime))
    guard try isTaken(connectionTo: socket, until: deadline) else {
      try stream.send(Array(nothing.utf8))
      throw CallError(number: ETIMEDOUT)
    }
    try stream.send(Array(message.utf8))
    var answer: [UInt8] = []
    while case let part = try stream.receive(atMost: 4096), !part.isEmpty {
      answer += part
      if answer.count > answerLimit { throw CallError(number: EFBIG) }
    }
    return answer
  }

  private static let nothing = "-"
  /// How long a program may take to answer once it has begun to listen.
  private static let answerTime = 2_000

  /// Whether all connections to a socket are taken before a deadline, by `/proc/net/unix`: those
  /// that wait have the state `02` there, the others `03` (net/unix/af_unix.c, `unix_seq_show()`).
  private static func isTaken(
    connectionTo socket: HostPath, until deadline: Deadline
  ) throws(CallError) -> Bool {
    let end = [UInt8(ascii: " ")] + socket.cString.dropLast()
    while true {
      let table = try Descriptor(opening: "/proc/net/unix", O_RDONLY)
        .bytes(limit: textLimit)
      let states = table.split(separator: UInt8(ascii: "\n"))
        .filter { $0.count > end.count && $0.suffix(end.count).elementsEqual(end) }
        .compactMap { line -> String? in
          let fields = line.split(separator: UInt8(ascii: " "))
          return fields.count > 6 ? String(decoding: fields[5], as: UTF8.self) : nil
        }
      let isConnected = states.contains { $0 == "03" }
      if isConnected, !states.contains(where: { $0 == "02" }) { return true }
      guard Deadline.now < deadline else { return false }
      _ = poll(nil, 0, 5)
    }
  }
}
