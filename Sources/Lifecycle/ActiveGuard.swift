internal import Bytes
internal import HostModel
internal import Port

/// A unit of Berth's that stands by, and what it waits for.
package struct ActiveGuard: Hashable, Sendable {
  package var unit: String
  /// What it is to do, as its unit says.
  package var purpose: String
  /// What it waits for, as the end of “it waits …”; nil where nobody waits any more.
  package var awaited: String?
  /// Whether its last run failed.
  package var hasFailed: Bool

  /// The beginnings of the names of the units that `Guard` makes.
  static let arrival = "berth-arrival-"
  static let departure = "berth-guard-"
  static let following = "berth-follow"
  static let retry = "berth-retry-"
  static let pins = "berth-pins-"

  /// nil for a unit that is no guard: one of the administrator's that begins with `berth-`, or a
  /// service that stands behind its timer and waits for nothing itself.
  init?(_ unit: ListedUnit, at now: Deadline) {
    guard
      [Self.arrival, Self.departure, Self.following, Self.retry, Self.pins]
        .contains(where: unit.name.begins)
    else { return nil }
    self.unit = unit.name
    purpose = unit.description
    hasFailed = unit.state.active == "failed"
    if unit.name.ends(with: ".timer"), unit.state.isActive {
      awaited = Self.phrase(untilElapse: unit.elapses, at: now)
    } else if unit.name.ends(with: ".path"), unit.state.isActive {
      awaited = "for a change of the vCPUs' pins"
    } else if unit.state.isActive, let scope = unit.bindsTo.first {
      awaited = "for the end of \(scope)"
    }
    // At work, or over: a service that failed is told of.
    if awaited == nil, !hasFailed {
      guard unit.state.activity == .starting || unit.state.activity == .stopping else { return nil }
      awaited = "for berth reconcile to end"
    }
  }

  private static func phrase(untilElapse moment: Deadline?, at now: Deadline) -> String {
    guard let moment, moment > now else { return "for its service, which runs now" }
    let seconds = (moment.nanoseconds - now.nanoseconds + 999_999_999) / 1_000_000_000
    return "for another \(seconds) s"
  }
}
