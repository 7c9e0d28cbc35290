internal import Bytes
internal import HostModel

extension Setting {
  /// The setting's name for people: short enough for a table.
  ///
  /// A file of a cgroup goes by its own name and that of the group, and a thread that does not
  /// exist yet by its role alone.
  var title: String {
    switch self {
    case .affinity(let thread) where thread.tid == 0: return "CPUs of \(thread.role)"
    case .coreCookie(let process) where process.pid == 0: return "core-scheduling cookie of QEMU"
    case .scheduler(let thread) where thread.tid == 0: return "scheduler of \(thread.role)"
    case .attribute(let path, _) where path.begins(with: "/sys/fs/cgroup/"):
      let parts = path.fields(at: "/").suffix(2)
      return "\(parts.last ?? "") of \(parts.first ?? "")"
    default: return description
    }
  }
}
