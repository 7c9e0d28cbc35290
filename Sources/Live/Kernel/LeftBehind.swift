import Bytes
import CLinux
import HostModel
internal import SystemCalls
internal import Synchronization

/// The children of this process that wait in the kernel, each with what it waits for.
///
/// Whatever held up one of them holds up the next: as long as it waits, its device is asked nothing
/// more, so that a phase does not wait for it again and again, and no more children pile up there.
enum LeftBehind {
  private struct Child {
    var pid: Int32
    var subject: HostPath
  }

  private static let children = Mutex<[Child]>([])
  private static let silent = Mutex<Set<HostPath>>([])

  /// How long whoever did not answer is waited for the next time, in milliseconds: a child that could
  /// be killed tells nothing of the next one.
  private static let patience = 100

  /// The moment by which a read is given up, of somebody who may not have answered the last one.
  static func limit(of path: HostPath, within deadline: Deadline) -> Deadline {
    silent.withLock { silent in
      if silent.isEmpty || !silent.contains(subject(of: path)) { return deadline }
      return min(deadline, .now.advanced(byMilliseconds: patience))
    }
  }

  /// Notes whether somebody has answered a read.
  static func note(hasAnswered: Bool, at path: HostPath) {
    silent.withLock { silent in
      if hasAnswered, silent.isEmpty { return }
      if hasAnswered {
        silent.remove(subject(of: path))
      } else {
        silent.insert(subject(of: path))
      }
    }
  }

  /// Notes a child that could not be ended.
  static func note(_ pid: Int32, at path: HostPath) {
    let child = Child(pid: pid, subject: subject(of: path))
    children.withLock { $0.append(child) }
  }

  /// A child that waits for the same device or process; nil where none does, or none any more.
  static func child(at path: HostPath) -> Int? {
    children.withLock { children in
      if children.isEmpty { return nil }
      let subject = subject(of: path)
      children.removeAll { $0.subject == subject && clinux_still_waits($0.pid) == 0 }
      return children.first { $0.subject == subject }.map { Int($0.pid) }
    }
  }

  /// The folder of the device or process that a file is of; of another file the folder that it is in, and
  /// of a device's own file that file.
  private static func subject(of path: HostPath) -> HostPath {
    if path.begins(with: "/dev") { return path }
    let folder = path.parent
    return ["driver", "power"].contains(folder.name) ? folder.parent : folder
  }
}
