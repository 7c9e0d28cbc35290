/// A thread of the host that cannot be mistaken for a later one with the same number.
package struct HostThread: Hashable, Sendable {
  package var pid: Int
  package var tid: Int
  /// Field 22 of `/proc/PID/task/TID/stat`.
  package var startTime: UInt64
  package var role: ThreadRole

  package init(pid: Int, tid: Int, startTime: UInt64, role: ThreadRole) {
    self.pid = pid
    self.tid = tid
    self.startTime = startTime
    self.role = role
  }
}

extension HostThread {
  /// Whether it is one of a QEMU that has yet to start, of which a plan knows the role alone.
  var isExpected: Bool { tid == 0 }
}

/// What a thread does for its VM.
package enum ThreadRole: Hashable, Sendable {
  /// The main loop: its TID is the PID.
  case emulator
  case vcpu(Int)
  case iothread(Int)
  /// A vhost worker: a thread of QEMU, or a kernel thread on kernels before 6.4.
  case vhost
  /// Any other thread of QEMU: workers, `call_rcu`, VNC, SPICE.
  case worker
  /// A task that is no thread of a QEMU.
  case foreign
}

extension ThreadRole {
  /// Whether QMP tells which threads have the role.
  package var isNamedByQEMU: Bool {
    switch self {
    case .vcpu, .iothread: true
    case .emulator, .vhost, .worker, .foreign: false
    }
  }
}

extension ThreadRole: CustomStringConvertible {
  package var description: String {
    switch self {
    case .emulator: "emulator"
    case .vcpu(let number): "vCPU \(number)"
    case .iothread(let number): "iothread \(number)"
    case .vhost: "vhost worker"
    case .worker: "worker"
    case .foreign: "task"
    }
  }
}

extension WordWriter {
  mutating func thread(_ thread: HostThread) {
    number(thread.pid)
    number(thread.tid)
    number(thread.startTime)
    switch thread.role {
    case .emulator: raw("emulator")
    case .vcpu(let id): raw("vcpu:\(id)")
    case .iothread(let id): raw("iothread:\(id)")
    case .vhost: raw("vhost")
    case .worker: raw("worker")
    case .foreign: raw("task")
    }
  }
}

extension WordReader {
  mutating func thread() throws(FormatError) -> HostThread {
    HostThread(pid: try number(), tid: try number(), startTime: try number(), role: try role())
  }

  private mutating func role() throws(FormatError) -> ThreadRole {
    let word = try choice()
    switch word {
    case "emulator": return .emulator
    case "vhost": return .vhost
    case "worker": return .worker
    case "task": return .foreign
    default: break
    }
    if let id = word.rest(after: "vcpu:").flatMap({ number(in: $0) as Int? }) { return .vcpu(id) }
    if let id = word.rest(after: "iothread:").flatMap({ number(in: $0) as Int? }) {
      return .iothread(id)
    }
    throw FormatError("“\(word)” is no role of a thread")
  }
}
