internal import Facts
internal import HostModel
internal import Port

/// The core-scheduling cookie of a process: `none`, `own`, or `mixed` where its threads differ.
struct CoreCookiePlace: Place {
  let kernel: any Kernel
  let process: ProcessIdentity

  func read(until deadline: Deadline) throws(HostError) -> Value {
    switch try CoreCookieReader(kernel: kernel).cookie(of: process) {
    case .none: return .text("none")
    case .own: return .text("own")
    case .mixed: return .text("mixed")
    }
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard value == .text("own") || value == .text("none") else {
      throw unsupported(value, at: "process \(process.pid)")
    }
    try CoreCookieReader(kernel: kernel).recognize(process)
    try kernel.setCoreCookie(isOwn: value == .text("own"), of: process.pid)
  }
}
