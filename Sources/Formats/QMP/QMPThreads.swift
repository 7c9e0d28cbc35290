package import HostModel

/// The threads of a QEMU, as it names them itself over QMP.
///
/// In `/proc`, a thread's name has room for 15 characters: those of Proxmox's iothreads differ only
/// behind them.
package struct QMPThreads: Hashable, Sendable {
  /// The TID of each vCPU, by its number.
  package var vcpus: [Int: Int]
  /// The TID of each iothread, by the name of its object: `iothread-virtioscsi0`.
  package var iothreads: [String: Int]

  package init(vcpus: [Int: Int] = [:], iothreads: [String: Int] = [:]) {
    self.vcpus = vcpus
    self.iothreads = iothreads
  }
}

extension QMPThreads {
  /// What each thread does for a domain of Proxmox's, by TID.
  ///
  /// An iothread that the domain does not name, as one in `args`, is left out.
  package func roles(in domain: Domain) -> [Int: ThreadRole] {
    var roles: [Int: ThreadRole] = [:]
    for (number, tid) in vcpus { roles[tid] = .vcpu(number) }
    for (name, id) in zip(domain.proxmox?.iothreads ?? [], domain.iothreadIDs) {
      if let tid = iothreads[name] { roles[tid] = .iothread(id) }
    }
    return roles
  }
}

/// Why an answer of QEMU's cannot be used.
package struct QMPAnswerError: Error, Equatable {
  package var sentence: String

  package init(_ sentence: String) { self.sentence = sentence }
}

/// What QEMU says by one line (docs/interop/qmp-spec.rst of QEMU).
package enum QMPMessage: Equatable {
  case greeting
  /// Something happened; events come between any two other lines.
  case event
  case result(JSONValue, id: Int?)
  case refusal(String, id: Int?)

  package init(_ line: [UInt8]) throws(QMPAnswerError) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONReader.value(of: line)
    } catch {
      throw QMPAnswerError("it is not JSON: \(error.sentence) at byte \(error.offset)")
    }
    let id = value["id"]?.integer
    if value["QMP"] != nil {
      self = .greeting
    } else if value["event"] != nil {
      self = .event
    } else if let result = value["return"] {
      self = .result(result, id: id)
    } else if let error = value["error"] {
      self = .refusal(error["desc"]?.string ?? "it gives no reason", id: id)
    } else {
      throw QMPAnswerError("it is neither a greeting, nor an event, nor an answer")
    }
  }
}

extension QMPMessage {
  /// The state in an answer to `query-status`.
  package static func runState(_ answer: JSONValue) throws(QMPAnswerError) -> String {
    guard let state = answer["status"]?.string else {
      throw QMPAnswerError("it does not say how the guest runs")
    }
    return state
  }
}

extension QMPThreads {
  /// `PID_MAX_LIMIT` of <linux/threads.h>.
  private static let greatestTID = 4 << 20

  /// The threads of `query-cpus-fast` (qapi/machine.json of QEMU).
  ///
  /// - Throws: Where one is missing, cannot be, or is there twice: to pin the wrong thread is worse
  ///   than to pin none.
  package static func vcpus(_ answer: JSONValue) throws(QMPAnswerError) -> [Int: Int] {
    var vcpus: [Int: Int] = [:]
    for entry in try entries(answer) {
      guard let number = entry["cpu-index"]?.integer, (0..<CPUList.capacity).contains(number) else {
        throw QMPAnswerError("a vCPU without a number")
      }
      if vcpus.updateValue(try thread(entry), forKey: number) != nil {
        throw QMPAnswerError("vCPU \(number) is there twice")
      }
    }
    return vcpus
  }

  /// The threads of `query-iothreads` (qapi/misc.json of QEMU).
  package static func iothreads(_ answer: JSONValue) throws(QMPAnswerError) -> [String: Int] {
    var iothreads: [String: Int] = [:]
    for entry in try entries(answer) {
      guard let name = entry["id"]?.string else {
        throw QMPAnswerError("an iothread without a name")
      }
      if iothreads.updateValue(try thread(entry), forKey: name) != nil {
        throw QMPAnswerError("iothread \(quoted(name)) is there twice")
      }
    }
    return iothreads
  }

  private static func entries(_ answer: JSONValue) throws(QMPAnswerError) -> [JSONValue] {
    guard case .array(let entries) = answer else { throw QMPAnswerError("it is not a list") }
    return entries
  }

  private static func thread(_ entry: JSONValue) throws(QMPAnswerError) -> Int {
    guard let tid = entry["thread-id"]?.integer, (1...greatestTID).contains(tid) else {
      throw QMPAnswerError("a thread without a number that a thread can have")
    }
    return tid
  }
}
