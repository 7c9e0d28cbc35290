internal import Bytes
package import HostModel

/// Core scheduling of a recorded host; `recorded/limits` says with `core-scheduling refuses N` that
/// there is none.
extension RecordedKernel {
  package func coreCookie(of tid: Int) throws(HostError) -> UInt64 {
    try checkCoreScheduling(.read, tid)
    return try RecordedThread(tid, in: tree, for: .read).coreCookie()
  }

  /// A cookie is an address in the kernel, of which nothing is known but that no two are the same.
  package func setCoreCookie(isOwn: Bool, of pid: Int) throws(HostError) {
    try checkCoreScheduling(.write, pid)
    for name in try tree.entries(of: "/proc/\(pid)/task") {
      guard let tid = Int(name) else { continue }
      try RecordedThread(tid, in: tree, for: .write).setCoreCookie(isOwn ? UInt64(pid) : 0)
    }
  }

  private func checkCoreScheduling(
    _ operation: HostOperation, _ number: Int
  ) throws(HostError) {
    let limits = try RecordedLimits(of: tree)
    guard let refusal = limits.number("refuses", of: "core-scheduling") else { return }
    throw HostError(
      operation, "core cookie of \(number)", errno: Int32(clamping: refusal))
  }
}
