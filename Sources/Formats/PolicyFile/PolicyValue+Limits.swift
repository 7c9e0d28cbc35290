internal import Bytes
internal import HostModel

/// What values mean to the keys of `[limits]`.
extension PolicyValue {
  /// An amount of memory in KiB; nil for `auto`.
  func memoryOrAuto() throws(PolicyValueError) -> Int? {
    if self == .string("auto") { return nil }
    let expected = PolicyValueError("“auto”, 0 or an amount of memory such as “2GiB” or “512MiB”")
    if self == .integer(0) { return 0 }
    guard case .string(let text) = self else { throw expected }
    for (unit, scale) in [("MiB", 1 << 10), ("GiB", 1 << 20)] where text.ends(with: unit) {
      guard let number = Int(text.droppingLast(unit.utf8.count).trimmed),
        (0...1 << 24).contains(number)
      else { throw expected }
      return number * scale
    }
    throw expected
  }

  /// A number of CPUs, at least 1; or CPUs, of which at least one stays.
  func countOrCPUs() throws(PolicyValueError) -> (count: Int, cpus: CPUList) {
    let expected = PolicyValueError("a number of CPUs from 1 on, or a list such as “0-1,8-9”")
    switch self {
    case .integer(let count) where (1...CPUList.capacity).contains(count): return (count, [])
    case .string:
      let cpus = try cpus()
      guard !cpus.isEmpty else { throw expected }
      return (1, cpus)
    default: throw expected
    }
  }
}
