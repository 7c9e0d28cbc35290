package import HostModel

/// One thing that happened to the host, told while it happens.
package enum EngineEvent: Hashable, Sendable {
  /// A setting holds another value now. `reason` is nil where an original was put back.
  case changed(Setting, from: Value, to: Value, reason: String?)
  case performed(Step)
  /// A pool has `got` of the `wanted` pages that it is to be given.
  case growing(HugepagePool, got: Int, wanted: Int)
  /// A start is held up by what is expected to end by itself.
  case waiting(for: [String])
}

/// What a reconciliation did not do, in sentences.
package struct Outcome: Hashable, Sendable {
  /// What could not be done and is tried again at the next event.
  package var failures: [String] = []
  /// What somebody else changed and Berth leaves alone.
  package var drifts: [String] = []
  /// What the domain does without.
  package var warnings: [String] = []

  /// Whether more can be done once what was done has taken effect.
  package var isToBeContinued = false
  /// What other domains have to give back before the domain can start.
  package var concessions: [Concession] = []

  package init(warnings: [String] = []) { self.warnings = warnings }

  package mutating func append(_ other: Outcome) {
    failures += other.failures
    drifts += other.drifts
    warnings += other.warnings
  }
}

/// A pool that could not be filled.
package struct Shortage: Error, Hashable, Sendable {
  package var pool: HugepagePool
  /// Pages that the domain takes out of the pool in all.
  package var need: Int
  /// Pages of them that could be had.
  package var got: Int
  package var milliseconds: Int
  /// The host's memory as it was then, before anything was given back; nil where nobody looked.
  package var host: HostFacts?

  package init(pool: HugepagePool, need: Int, got: Int, milliseconds: Int, on host: HostFacts?) {
    self.pool = pool
    self.need = need
    self.got = got
    self.milliseconds = milliseconds
    self.host = host
  }
}

/// Why a plan was not carried out; nothing of it is left on the host.
package enum Rejection: Error, Hashable, Sendable {
  case refused([Refusal])
  case short(Shortage)
}
