package import HostModel

/// Brings the host to what the ledger says, and nothing else does.
///
/// Applying a plan is adding claims and settling; releasing a domain is dropping its claims and
/// settling; recovering from a crash is settling. Settling reads each setting, and writes it where
/// it does not hold what its entry resolves to.
package struct Engine {
  let host: any SettingHost
  let store: any LedgerStore
  let observe: (EngineEvent) -> Void
  package var pools = PoolAccounts()

  /// - Parameters:
  ///   - host: Where settings are read and written.
  ///   - store: Where the ledger is kept.
  ///   - observe: Told of each change once it has been made.
  package init(
    host: any SettingHost, store: any LedgerStore,
    observe: @escaping (EngineEvent) -> Void = { _ in }
  ) {
    self.host = host
    self.store = store
    self.observe = observe
  }

  /// Adds what a plan claims and brings the host there, or leaves the host as it was.
  ///
  /// `plan` is made while the ledger is locked, so that what it knows of other domains holds when
  /// its claims are recorded; what it finds out of the holder on the way is recorded with them.
  /// Domains of which `isGone` says so are released on the way. Where a plan has cycles or
  /// preliminaries, those are made first, and the plan is made anew.
  ///
  /// - Throws: `Rejection` where the plan refuses, contradicts another domain's claims, or a
  ///   required change could not be made. Whatever is thrown before the domain runs, all that was
  ///   taken for it is given back; of one that runs, nothing is.
  package func apply(
    for holder: Holder, until deadline: Deadline, isGone: (Holder) -> Bool = { _ in false },
    plan: (Ledger, inout Holder) throws -> Plan
  ) throws -> Outcome {
    var outcome = Outcome()
    var work = Work(holder: holder)
    do {
      try begin(&work, until: deadline, isGone, plan, &outcome)
      if work.plan.hasForerunners {
        try applyFirst(work.plan, for: work.holder, until: deadline, &outcome)
        try begin(&work, isSecond: true, until: deadline, isGone, plan, &outcome)
      }
      try perform(
        work.plan.steps.filter { $0.step.setting == nil }, for: holder.id, until: deadline,
        &outcome)
      try settle(work.slow, work.plan, for: holder.id, until: deadline, &outcome)
      try end(work, until: deadline)
    } catch {
      try endInVain(work, because: error, until: deadline, &outcome)
    }
    outcome.isToBeContinued = outcome.isToBeContinued || work.plan.isToBeContinued
    outcome.concessions = work.plan.concessions
    return outcome
  }

  /// Makes a plan, records it and settles what is quickly written; of a plan that has something to
  /// come first, only who is at work.
  private func begin(
    _ work: inout Work, isSecond: Bool = false, until deadline: Deadline,
    _ isGone: (Holder) -> Bool, _ plan: (Ledger, inout Holder) throws -> Plan,
    _ outcome: inout Outcome
  ) throws {
    try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      try checkWay(of: work.holder, in: ledger)
      ledger.dropGone(besides: work.holder.id, isGone)
      work.plan = try plan(ledger, &work.holder)
      guard work.plan.refusals.isEmpty else { throw Rejection.refused(work.plan.refusals) }
      if work.plan.isSlow { work.holder.worker = try host.worker() }
      work.isRecorded = true
      if work.plan.hasForerunners, !isSecond {
        // Who is gone is no longer in the way of what comes first.
        return try store.save(ledger)
      }
      try recordAndSettle(work.plan, for: work.holder, &ledger, until: deadline, &outcome)
      let busy = try busyHolders(in: ledger)
      work.slow = ledger.slowSettings(
        toSettleFor: work.holder.id, after: work.plan.poolEvents, besides: busy)
    }
  }

  /// Ends a start that came to nothing, or what could be done for a domain that runs.
  private func endInVain(
    _ work: Work, because error: any Error, until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    if !work.holder.isIn {
      guard work.isRecorded || error is Rejection else { throw error }
      try rollBack(work.holder.id, after: error, with: outcome.drifts, until: deadline)
    }
    guard case .refused(let refusals) = error as? Rejection else { throw error }
    // It runs: what it holds stays, and it does without the rest.
    outcome.warnings += refusals.map(\.description)
    try end(work, until: deadline)
  }

  /// Records what a plan claims and settles what is quickly written.
  func recordAndSettle(
    _ plan: Plan, for holder: Holder, _ ledger: inout Ledger, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws {
    outcome.warnings += plan.warnings
    let holder = plan.ladders.isEmpty ? holder : holder.climbing(plan.ladders)
    try leaveOutdated(by: plan, of: holder.id, in: &ledger, until: deadline, &outcome)
    let refused = try admit(plan, for: holder, into: &ledger, until: deadline, &outcome)
    for event in plan.poolEvents {
      try record(event, of: holder.id, in: &ledger, until: deadline)
    }
    let failed = try settleQuick(&ledger, for: holder.id, until: deadline, &outcome)
    let climbed = plan.settingsOnLadders
    let lost = climbed.isEmpty ? failed : failed.filter { !climbed.contains($0) }
    try dropFailedClaims(lost, of: holder.id, in: plan, &ledger, until: deadline, &outcome)
    for ladder in plan.ladders {
      try climb(ladder, for: holder, past: refused, in: &ledger, until: deadline, &outcome)
    }
  }

  /// Drops domains with all that they claim and brings the host to what is left.
  ///
  /// Goes on past failures; what failed stays in the ledger for the next time. `renew` may have found
  /// out more about a domain that stays.
  package func release(
    until deadline: Deadline, where leaves: (Holder) -> Bool,
    renewing renew: (Holder) -> Holder = { $0 }
  ) throws -> Outcome {
    var outcome = Outcome()
    var dropped: Set<Setting> = []
    let slow = try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      for holder in ledger.holders {
        if leaves(holder) {
          dropped.formUnion(ledger.settings(claimedBy: holder.id).filter(\.isSlow))
          ledger.drop(holder.id)
        } else {
          ledger.put(renew(holder))
        }
      }
      _ = try settleQuick(&ledger, for: nil, until: deadline, &outcome)
      let busy = try busyHolders(in: ledger)
      // What others are at work on is theirs to give back; they look when they have done their part.
      for holder in busy { dropped.subtract(ledger.settings(claimedBy: holder)) }
      return ledger.slowSettings(toSettleFor: nil, besides: busy)
    }
    try settle(slow, Plan(phase: .release), for: nil, awaiting: dropped, until: deadline, &outcome)
    return outcome
  }

  /// Reads every setting of the ledger again and repairs what is not as it is to be.
  package func reconcile(
    until deadline: Deadline, dropping isGone: (Holder) -> Bool = { _ in false }
  ) throws -> Outcome {
    try release(until: deadline, where: isGone)
  }

  /// Puts one setting's original back whoever claims it and whatever stands there, as only an
  /// administrator may want.
  package func force(_ setting: Setting, until deadline: Deadline) throws -> Outcome {
    try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      guard let index = ledger.index(of: setting) else { return }
      ledger.entries[index].claims = []
      // What stands there counts as Berth's own from here on, so that it is written over.
      if !setting.isShared {
        ledger.entries[index].written = try host.read(setting, until: deadline)
      }
      ledger.entries[index].leftBehind = nil
      try store.save(ledger)
    }
    return try release(until: deadline) { _ in false }
  }

  /// Gives back what a holder took that does not come in, within the time that giving back has of its
  /// own.
  ///
  /// What was found to be changed outside Berth on the way is forgotten with it, so that it has
  /// to be said now.
  private func rollBack(
    _ holder: HolderID, after cause: any Error, with drifts: [String], until deadline: Deadline
  ) throws -> Never {
    let grace = max(deadline, host.now.advanced(byMilliseconds: 30_000))
    var failures: [String] = []
    var found = drifts
    do {
      let outcome = try release(until: grace) { $0.id == holder }
      failures = outcome.failures
      found += outcome.drifts.filter { !drifts.contains($0) }
    } catch {
      failures = ["\(error)"]
    }
    guard failures.isEmpty, found.isEmpty else {
      throw StartWithResidue(cause: cause, failures: failures, drifts: found)
    }
    throw cause
  }
}

/// A start that came to nothing, after which the host is not, or not at once, as it was before.
package struct StartWithResidue: Error {
  /// What kept the domain from starting.
  package var cause: any Error
  /// What could not be given back.
  package var failures: [String]
  /// What somebody else changed and Berth leaves alone.
  package var drifts: [String]
}
