/// A moment of the monotonic clock by which something has to be over.
package struct Deadline: Hashable, Sendable, Comparable {
  /// Nanoseconds of `CLOCK_MONOTONIC`.
  package var nanoseconds: UInt64

  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  package func advanced(byMilliseconds milliseconds: Int) -> Deadline {
    Deadline(nanoseconds: nanoseconds &+ UInt64(max(0, milliseconds)) * 1_000_000)
  }

  /// Whole seconds of the clock.
  package var secondsSinceBoot: Int { Int(nanoseconds / 1_000_000_000) }

  /// The time from `now` to the deadline; 0 if it has passed.
  package func milliseconds(from now: Deadline) -> Int {
    nanoseconds > now.nanoseconds ? Int((nanoseconds - now.nanoseconds) / 1_000_000) : 0
  }

  package static func < (left: Deadline, right: Deadline) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}
