internal import Bytes
package import HostModel
package import Port

/// Looks at the cookies of all threads of a process.
package struct CoreCookieReader {
  let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  package enum Cookie { case none, own, mixed }

  /// - Throws: `ESRCH` where the process is gone, `ENODEV` or `EINVAL` without core scheduling.
  package func cookie(of process: ProcessIdentity) throws(HostError) -> Cookie {
    var cookies: Set<UInt64> = []
    for tid in try kernel.entriesIfPresent(of: "/proc/\(process.pid)/task").compactMap(
      Quantity.process.number)
    {
      do throws(HostError) {
        cookies.insert(try kernel.coreCookie(of: tid))
      } catch  where ErrorNumber(error.errno) == .noSuchProcess {
        // A thread that has ended since counts for nothing.
      }
    }
    try recognize(process)
    if cookies == [0] { return .none }
    return cookies.count == 1 ? .own : .mixed
  }

  /// - Throws: `ESRCH` where the number belongs to nobody, or to a later process.
  package func recognize(_ process: ProcessIdentity) throws(HostError) {
    guard try ProcessReader(kernel: kernel).identity(of: process.pid) == process else {
      throw HostError(
        .read, "core cookie of process \(process.pid)", errno: ErrorNumber.noSuchProcess.number)
    }
  }
}
