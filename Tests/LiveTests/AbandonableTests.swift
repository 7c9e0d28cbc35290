import Bytes
import Glibc
import Live
import Port
import Support
import Testing

/// What is done in children that can be left behind.
///
/// One after the other: some look for a blocked child of theirs, which could be another test's.
@Suite(.serialized)
enum AbandonableTests {
  /// A FIFO that nobody reads stands for a driver that never comes back: opening it for writing
  /// blocks until the writer is killed.
  struct Writes {
    let kernel = LiveKernel()
    let directory = TemporaryDirectory()
  }

  /// A FIFO that nobody writes to stands for a driver that holds its device's lock: opening it for
  /// reading blocks until the reader is killed.
  struct Reads {
    let kernel = LiveKernel()
    let directory = TemporaryDirectory()
  }
}

/// Whether a process is a child of ours that has given up its files and sleeps.
func isBlockedChild(_ pid: Int32, _ kernel: LiveKernel) -> Bool {
  guard let stat = try? kernel.text(of: "/proc/\(pid)/stat"),
    let end = stat.lastIndex(of: ")")
  else { return false }
  let fields = stat[stat.index(after: end)...].split(separator: " ")
  return fields.count > 2 && fields[0] == "S" && fields[1] == "\(getpid())"
    && (try? kernel.destination(of: "/proc/\(pid)/fd/1")) == "/dev/null"
}
