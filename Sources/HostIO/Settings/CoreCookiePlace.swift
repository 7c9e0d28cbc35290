internal import HostModel

/// The core-scheduling cookie of a process: `none`, `own`, or `mixed` where its threads differ.
struct CoreCookiePlace: Place {
  let kernel: any Kernel
  let process: ProcessIdentity

  func read() throws(HostError) -> Value {
    switch try CoreCookieReader(kernel: kernel).cookie(of: process) {
    case .none: return .text("none")
    case .own: return .text("own")
    case .mixed: return .text("mixed")
    }
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard value == .text("own") || value == .text("none") else {
      throw misfit(value, at: "process \(process.pid)")
    }
    try CoreCookieReader(kernel: kernel).recognize(process)
    try kernel.setCoreCookie(isOwn: value == .text("own"), of: process.pid)
  }
}

/// Looks at the cookies of all threads of a process.
struct CoreCookieReader {
  let kernel: any KernelReader

  enum Cookie { case none, own, mixed }

  /// - Throws: `ESRCH` where the process is gone, `ENODEV` or `EINVAL` without core scheduling.
  func cookie(of process: ProcessIdentity) throws(HostError) -> Cookie {
    var cookies: Set<UInt64> = []
    for tid in try kernel.entriesIfPresent(of: "/proc/\(process.pid)/task").compactMap({ Int($0) })
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
  func recognize(_ process: ProcessIdentity) throws(HostError) {
    guard try ProcessReader(kernel: kernel).identity(of: process.pid) == process else {
      throw HostError(
        .read, "core cookie of process \(process.pid)", errno: ErrorNumber.noSuchProcess.number)
    }
  }
}
