package import Bytes
package import Formats
internal import Glibc
package import HostModel
internal import SystemCalls

/// The QMP monitor of one QEMU: `/run/qemu-server/VMID.qmp`.
///
/// It serves one client at a time and Proxmox's own tools need it often, so that a session asks for
/// the threads and ends at once.
package struct QMPSocket: Hashable, Sendable {
  let path: HostPath

  package init(path: HostPath) { self.path = path }

  /// The monitor of a domain of Proxmox's; nil for any other, and where its vmid is not known.
  package init?(of domain: Domain) {
    guard let vmid = domain.vmid else { return nil }
    path = "/run/qemu-server/\(vmid).qmp"
  }

  /// The threads of the QEMU.
  ///
  /// A monitor that is busy is tried again until the deadline.
  ///
  /// - Throws: `ETIMEDOUT` where it never answered, the number of errno(3) where it cannot be
  ///   connected to, `EPROTO` where its answer means nothing.
  package func threads(until deadline: Deadline) throws(HostError) -> QMPThreads {
    try asked(["query-cpus-fast", "query-iothreads"], until: deadline) {
      answers throws(QMPAnswerError) in
      QMPThreads(
        vcpus: try QMPThreads.vcpus(answers[0]), iothreads: try QMPThreads.iothreads(answers[1]))
    }
  }

  /// Whether and how the guest runs, in the words of `RunState` (qapi/run-state.json of QEMU).
  ///
  /// - Throws: As for `threads`.
  package func runState(until deadline: Deadline) throws(HostError) -> String {
    try asked(["query-status"], until: deadline) { answers throws(QMPAnswerError) in
      try QMPMessage.runState(answers[0])
    }
  }

  /// How long to wait for a monitor that takes no more clients.
  private static let pause = 10

  /// What the answers to some commands mean, in one session.
  private func asked<Meaning>(
    _ commands: [String], until deadline: Deadline,
    _ read: ([JSONValue]) throws(QMPAnswerError) -> Meaning
  ) throws(HostError) -> Meaning {
    while true {
      var command: String?
      do throws(QMPFailure) {
        let answers = try answers(to: commands, until: deadline, &command)
        do throws(QMPAnswerError) {
          return try read(answers)
        } catch {
          throw .answer(error)
        }
      } catch {
        guard error.isPassing, Deadline.now.advanced(byMilliseconds: Self.pause) < deadline else {
          throw hostError(error, command)
        }
        _ = poll(nil, 0, Int32(Self.pause))
      }
    }
  }

  private func answers(
    to commands: [String], until deadline: Deadline, _ command: inout String?
  ) throws(QMPFailure) -> [JSONValue] {
    var connection = try QMPConnection(path, until: deadline)
    try connection.awaitGreeting()
    var answers: [JSONValue] = []
    for name in ["qmp_capabilities"] + commands {
      command = name
      answers.append(try connection.result(of: name))
    }
    return Array(answers.dropFirst())
  }

  private func hostError(_ failure: QMPFailure, _ command: String?) -> HostError {
    func error(_ number: Int32, _ diagnosis: String? = nil) -> HostError {
      HostError(
        command == nil ? .connect : .call, path, value: command, errno: number,
        diagnosis: diagnosis)
    }
    switch failure {
    case .call(let call): return error(call.number)
    case .closed: return error(ECONNRESET, "QEMU closed the connection")
    case .timedOut:
      return error(
        ETIMEDOUT,
        command == nil ? "the monitor is in use, or QEMU hangs" : "QEMU does not answer")
    case .refused(let reason): return error(EPROTO, "QEMU says: \(reason)")
    case .answer(let answer): return error(EPROTO, "its answer means nothing: \(answer.sentence)")
    }
  }
}
