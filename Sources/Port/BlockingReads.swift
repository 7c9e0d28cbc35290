package import Bytes

/// Which files of the kernel's may be held up by somebody else's work when they are read.
package enum BlockingReads {
  private static let names: [StaticString] = [
    "driver_override", "sriov_numvfs", "reset_method",
  ]

  /// Whether the read of a file takes a lock that a driver may hold without an end.
  package static func include(_ path: HostPath) -> Bool {
    let path = path.cString.span.extracting(droppingLast: 1)
    guard path.has("/sys/", at: 0) else { return false }
    let name = (path.lastIndex(of: UInt8(ascii: "/")) ?? 0) + 1
    return names.contains { name + $0.utf8CodeUnitCount == path.count && path.has($0, at: name) }
  }
}
