package import HostModel
package import Ledger
internal import Port

/// Giving back, and who sees to it that somebody does.
extension Lifecycle {
  /// Gives back what one domain holds.
  package func release(_ id: HolderID, until deadline: Deadline) throws -> Outcome {
    if try store.load().isEmpty { return Outcome() }
    return try release(until: deadline) { $0.id == id || liveness.isGone($0) }
  }

  /// Whether a domain's QEMU is seen to run; what cannot be read is no sign of it.
  package func isSeenRunning(_ holder: Holder) -> Bool { liveness.isSeenRunning(holder) }

  /// Gives back what every domain holds.
  package func releaseAll(until deadline: Deadline) throws -> Outcome {
    try release(until: deadline) { _ in true }
  }

  /// Puts one setting's original back, whoever claims it and whatever stands there.
  package func force(_ setting: Setting, until deadline: Deadline) throws -> Outcome {
    try engine.force(setting, until: deadline)
  }

  /// Drops domains that are gone, repairs what is not as it is to be, and has the host follow what those
  /// that run ask for by now.
  ///
  /// `attempt` counts the times that this was tried since something could not be given back, for the
  /// pause until the next.
  package func reconcile(attempt: Int = 0, until deadline: Deadline) throws -> Outcome {
    var outcome = Outcome()
    // The unit that stood by is used up by calling this.
    let isRetrying = try isOverlooked(store.load())
    if isRetrying { comeBack(after: attempt, &outcome, until: deadline) }
    let left = try drop(liveness.isGone, &outcome, until: deadline)
    try followAll(&outcome, until: deadline)
    standBy(&outcome, until: deadline)
    sweepGuards(&outcome, until: deadline)
    updateTimers(
      after: attempt, of: left, isRetrying: isRetrying, unless: isOverlooked, &outcome,
      until: deadline)
    return outcome
  }

  /// Drops domains with all that they hold, and the guards that stood by for them.
  func release(until deadline: Deadline, _ leaves: (Holder) -> Bool) throws -> Outcome {
    var outcome = Outcome()
    // The guard of a domain whose QEMU was met stands by in any case.
    let isUnguarded = try store.loadHead().holders.contains { $0.process == nil && leaves($0) }
    if isUnguarded { comeBack(&outcome, until: deadline) }
    let left = try drop(leaves, &outcome, until: deadline)
    updateTimers(of: left, isRetrying: isUnguarded, &outcome, until: deadline)
    return outcome
  }

  /// Has somebody come back if this process does not come to its end.
  private func comeBack(
    after attempt: Int = 0, _ outcome: inout Outcome, until deadline: Deadline
  ) {
    tryGuard(Self.unrepeated, &outcome, until: deadline) { try $0.startRetry(after: attempt) }
  }

  /// Drops domains with all that they hold, and the guards that stood by for them; who they were.
  private func drop(
    _ leaves: (Holder) -> Bool, _ outcome: inout Outcome, until deadline: Deadline
  ) throws -> [Holder] {
    var left: [Holder] = []
    var engine = engine
    engine.pools = pools(until: deadline)
    outcome.append(
      try engine.release(
        until: deadline,
        where: { holder in
          let isLeaving = leaves(holder)
          if isLeaving { left.append(holder) }
          return isLeaving
        }, renewing: liveness.renewed))
    for holder in left { sweepGuards(of: holder.id, &outcome, until: deadline) }
    return left
  }

  private static let unrepeated = "no guard unit watches what is still pending"

  private static let unneeded = "a guard that is not needed any more stays"

  /// Nobody waits any more for a domain that has arrived, or does not come.
  func removeArrivalGuard(
    of holder: Holder, _ outcome: inout Outcome, until deadline: Deadline
  ) {
    tryGuard(Self.unneeded, &outcome, until: deadline) { try $0.removeArrival(of: holder) }
  }

  /// Takes away what stands by for domains that have left, or for any that is not in.
  func sweepGuards(
    of id: HolderID? = nil, _ outcome: inout Outcome, until deadline: Deadline
  ) {
    tryGuard(Self.unneeded, &outcome, until: deadline) { units in
      try units.sweep(
        of: id, besides: { try store.loadHead().holders }, isAlive: liveness.isRunning)
    }
  }

  /// Has somebody look again for as long as something is to happen that nobody calls Berth for, or is
  /// still to be given back; `isPending` says whether it is.
  func updateTimers(
    after attempt: Int = 0, of left: [Holder] = [], isRetrying: Bool = false,
    unless isPending: ((Ledger) -> Bool)? = nil, _ outcome: inout Outcome, until deadline: Deadline
  ) {
    let isPending = isPending ?? isToBeRetried
    tryGuard(Self.unrepeated, &outcome, until: deadline) { units in
      let ledger = try store.load()
      // Whoever stops a timer looks again: another process may have counted on it meanwhile.
      if ledger.awaitsMore {
        try units.startTimer()
      } else {
        try units.stopTimer()
        if try store.load().awaitsMore { try units.startTimer() }
      }
      if isPending(ledger) {
        try units.startRetry(after: attempt)
      } else if isRetrying || left.contains(where: { $0.ended != nil }) {
        try units.stopRetry()
        if try isPending(store.load()) { try units.startRetry(after: attempt) }
      }
    }
  }

  /// Whether there is work that nobody else may come back to: what is unfinished, and domains that are over.
  private func isToBeRetried(_ ledger: Ledger) -> Bool {
    ledger.isUnfinished { $0.worker.map(liveness.isAlive) ?? false }
      || ledger.holders.contains { $0.ended != nil }
  }

  /// The same, and domains whose QEMU ended before its guard was there.
  private func isOverlooked(_ ledger: Ledger) -> Bool {
    isToBeRetried(ledger) || ledger.holders.contains(where: liveness.isGone)
  }

  private func guardian(until deadline: Deadline) -> Guard? {
    units.map { Guard(units: $0, program: "/usr/sbin/berth", deadline: deadline) }
  }

  /// Has the guard do something; without one, a domain is no worse off than under any other tool.
  func tryGuard(
    _ failure: String, _ outcome: inout Outcome, until deadline: Deadline,
    _ work: (Guard) throws -> Void
  ) {
    guard let guardUnits = guardian(until: deadline) else { return }
    do {
      try work(guardUnits)
    } catch {
      outcome.warnings.append("\(failure): \(error)")
    }
  }

  /// The units that stand by; nil for a host without any.
  package func guards(until deadline: Deadline) throws(HostError) -> [ActiveGuard]? {
    try guardian(until: deadline)?.active(at: kernel.now)
  }
}
