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
  /// its claims are recorded. Domains of which `isGone` says so are released on the way. Where it has
  /// cycles or preliminaries, those are made first, and the plan is made anew.
  ///
  /// - Throws: `Rejection` where the plan refuses, contradicts another domain's claims, or a
  ///   required change could not be made: all that was taken for the holder is given back.
  package func apply(
    for holder: Holder, until deadline: Deadline, isGone: (Holder) -> Bool = { _ in false },
    plan: (Ledger) throws -> Plan
  ) throws -> Outcome {
    var outcome = Outcome()
    var made = Plan(phase: .prepare)
    var slow: [Setting] = []
    do {
      var isFirst = false
      try store.withLock(.ledger, until: deadline) {
        var ledger = try store.load()
        ledger.dropGone(besides: holder.id, isGone)
        made = try plan(ledger)
        isFirst = made.refusals.isEmpty && !(made.cycles + made.preliminaries).isEmpty
        if isFirst { return }
        try recordAndSettle(made, for: holder, &ledger, until: deadline, &outcome)
        slow = ledger.slowSettings(toSettleFor: holder.id, after: made.poolEvents)
      }
      if isFirst {
        try applyFirst(made, for: holder, until: deadline, &outcome)
        try store.withLock(.ledger, until: deadline) {
          var ledger = try store.load()
          ledger.dropGone(besides: holder.id, isGone)
          made = try plan(ledger)
          try recordAndSettle(made, for: holder, &ledger, until: deadline, &outcome)
          slow = ledger.slowSettings(toSettleFor: holder.id, after: made.poolEvents)
        }
      }
      try perform(
        made.steps.filter { $0.step.setting == nil }, for: holder.id, until: deadline, &outcome)
      try settle(slow, made, for: holder.id, until: deadline, &outcome)
    } catch let rejection as Rejection {
      try rollBack(holder.id, after: rejection, with: outcome.drifts, until: deadline)
    }
    outcome.isToBeContinued = made.isToBeContinued
    return outcome
  }

  /// Records what a plan claims and settles what is quickly written.
  func recordAndSettle(
    _ plan: Plan, for holder: Holder, _ ledger: inout Ledger, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws {
    outcome.warnings += plan.warnings
    try admit(plan, for: holder, into: &ledger, until: deadline, &outcome)
    for event in plan.poolEvents {
      try record(event, of: holder.id, in: &ledger, until: deadline)
    }
    let failed = try settleQuick(&ledger, for: holder.id, until: deadline, &outcome)
    try dropFailedClaims(failed, of: holder.id, in: plan, &ledger, until: deadline, &outcome)
  }

  /// Drops domains with all that they claim and brings the host to what is left.
  ///
  /// Goes on past failures; what failed stays in the ledger for the next time.
  package func release(
    until deadline: Deadline, where leaves: (Holder) -> Bool
  ) throws -> Outcome {
    var outcome = Outcome()
    let slow = try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      for holder in ledger.holders.filter(leaves) { ledger.drop(holder.id) }
      _ = try settleQuick(&ledger, for: nil, until: deadline, &outcome)
      return ledger.slowSettings(toSettleFor: nil)
    }
    try settle(slow, Plan(phase: .release), for: nil, until: deadline, &outcome)
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
      try store.save(ledger)
    }
    return try release(until: deadline) { _ in false }
  }

  /// Gives back what a rejected holder took, within the time that giving back has of its own.
  ///
  /// What was found to be changed by somebody else on the way is forgotten with it, so that it has
  /// to be said now.
  private func rollBack(
    _ holder: HolderID, after rejection: Rejection, with drifts: [String],
    until deadline: Deadline
  ) throws -> Never {
    let grace = max(deadline, host.now.advanced(byMilliseconds: 30_000))
    let outcome = try release(until: grace) { $0.id == holder }
    let found = drifts + outcome.drifts.filter { !drifts.contains($0) }
    guard outcome.failures.isEmpty, found.isEmpty else {
      throw RejectionWithResidue(
        rejection: rejection, failures: outcome.failures, drifts: found)
    }
    throw rejection
  }
}

/// A rejection after which the host is not, or not at once, as it was before.
package struct RejectionWithResidue: Error {
  package var rejection: Rejection
  /// What could not be given back.
  package var failures: [String]
  /// What somebody else changed and Berth leaves alone.
  package var drifts: [String]
}
