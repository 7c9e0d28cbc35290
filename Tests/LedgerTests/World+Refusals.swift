import HostModel

/// What the kernel answers instead of doing what it is told: once, a number of times, or always.
///
/// `EPERM` under lockdown, `EBUSY` from a driver with users, `EINVAL` for a value it dislikes,
/// `EIO` from an interrupt that it manages itself, `ENODEV` from a removed cgroup.
struct Refusal: Hashable {
  var errno: Int32
  var times = Int.max
  /// How many steps of a write that takes several are made all the same.
  var stages = 0
}

extension Refusal: ExpressibleByIntegerLiteral {
  /// That error number, always.
  init(integerLiteral errno: Int32) { self.init(errno: errno) }
}

extension Dictionary where Key == Setting, Value == Refusal {
  /// The refusal that meets the next access to a setting; one of a number is used up by it.
  mutating func take(_ setting: Setting) -> Refusal? {
    guard var refusal = self[setting] else { return nil }
    if refusal.times != .max {
      refusal.times -= 1
      self[setting] = refusal.times > 0 ? refusal : nil
    }
    return refusal
  }
}
