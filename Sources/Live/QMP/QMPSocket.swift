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
    while true {
      var command: String?
      do throws(QMPFailure) {
        return try threads(until: deadline, &command)
      } catch {
        guard error.isPassing, Deadline.now.advanced(byMilliseconds: Self.pause) < deadline else {
          throw hostError(error, command)
        }
        _ = poll(nil, 0, Int32(Self.pause))
      }
    }
  }

  /// How long to wait for a monitor that takes no more clients.
  private static let pause = 10

  private func threads(
    until deadline: Deadline, _ command: inout String?
  ) throws(QMPFailure) -> QMPThreads {
    var connection = try QMPConnection(path, until: deadline)
    try connection.awaitGreeting()
    func result(of name: String) throws(QMPFailure) -> JSONValue {
      command = name
      return try connection.result(of: name)
    }
    _ = try result(of: "qmp_capabilities")
    let vcpus = try result(of: "query-cpus-fast")
    let iothreads = try result(of: "query-iothreads")
    do throws(QMPAnswerError) {
      command = "query-cpus-fast"
      var threads = QMPThreads(vcpus: try QMPThreads.vcpus(vcpus))
      command = "query-iothreads"
      threads.iothreads = try QMPThreads.iothreads(iothreads)
      return threads
    } catch {
      throw .answer(error)
    }
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
