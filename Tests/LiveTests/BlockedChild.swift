import Bytes
import Glibc
import Live
import Port

/// Whether a process is a child of ours that has given up its files and sleeps.
func isBlockedChild(_ pid: Int32, _ kernel: LiveKernel) -> Bool {
  guard let stat = try? kernel.text(of: "/proc/\(pid)/stat"),
    let end = stat.lastIndex(of: ")")
  else { return false }
  let fields = stat[stat.index(after: end)...].split(separator: " ")
  return fields.count > 2 && fields[0] == "S" && fields[1] == "\(getpid())"
    && (try? kernel.destination(of: "/proc/\(pid)/fd/1")) == "/dev/null"
}
