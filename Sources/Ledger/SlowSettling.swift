internal import HostModel

extension Engine {
  /// Settles the settings whose writes may take long, each under a lock of its own.
  ///
  /// The ledger's lock is held only to record what is about to be done and what became of it, so
  /// that another domain's `started` never waits behind an allocation of minutes.
  ///
  /// - Throws: `Rejection` where a change that the plan requires could not be made.
  func settleSlow(
    _ plan: Plan, for holder: HolderID?, awaiting awaited: Set<Setting> = [],
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    let settings = try store.withLock(.ledger, until: deadline) {
      let ledger = try store.load()
      return ledger.slowSettings(
        toSettleFor: holder, after: plan.poolEvents, besides: try busyHolders(in: ledger))
    }
    try settle(settings, plan, for: holder, awaiting: awaited, until: deadline, &outcome)
  }

  /// The same for the settings that the ledger named when its lock was held last.
  ///
  /// Whoever finds one locked that he neither changes nor awaits goes on: the process that holds it
  /// looks again when it has done its own part.
  func settle(
    _ settings: [Setting], _ plan: Plan, for holder: HolderID?, awaiting awaited: Set<Setting> = [],
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    let warnings = outcome.warnings.count
    // Whoever has a lock that giving back waits for looks afterwards for what is left to him.
    let patience = holder == nil ? host.now.advanced(byMilliseconds: Self.patience) : deadline
    var done: [Setting] = []
    for setting in settings {
      // In its turn: what stands before it, such as a service that is to stop, may be in its way.
      if let planned = plan.steps.first(where: { $0.step.setting == setting }) {
        try perform([planned], for: holder, until: deadline, &outcome)
        continue
      }
      let change = plan.changes.first { $0.setting == setting }
      let isAwaited = change != nil || awaited.contains(setting)
      let growth = PoolGrowth(of: setting, for: change, after: plan.poolEvents)
      // A start does what others left on its way, but is not held up by a device that hangs.
      let isOthers = holder != nil && !isAwaited
      let limit =
        isOthers ? min(deadline, host.now.advanced(byMilliseconds: Self.patience)) : deadline
      let isDone = try whileLocked(
        setting, change, of: holder, isAwaited: isAwaited, patience: patience, until: deadline,
        &outcome
      ) { outcome in
        try settle(setting, change, of: holder, growth, until: limit, &outcome)
      }
      if isDone { done.append(setting) }
    }
    // What the domain does without may have been taken half-way: it goes back at once.
    if !plan.changes.isEmpty, outcome.warnings.count > warnings {
      let changed = Set(plan.changes.map(\.setting))
      try settleSlow(
        Plan(phase: plan.phase), for: holder, awaiting: changed, until: deadline, &outcome)
    }
    let rest = try store.load().leftOver(among: done)
    if rest.isEmpty || host.now >= deadline { return }
    try settle(rest, Plan(phase: plan.phase), for: holder, until: deadline, &outcome)
  }

  /// How long a start works on what it neither changes nor awaits, in milliseconds for each setting, and
  /// how long in all is waited for others before something is left to them to give back.
  private static var patience: Int { 4_000 }

  /// Runs `body` under a setting's lock; whether it could.
  ///
  /// What is to be given back is not waited for where a start has claimed it since.
  private func whileLocked(
    _ setting: Setting, _ change: Change?, of holder: HolderID?, isAwaited: Bool,
    patience: Deadline, until deadline: Deadline, _ outcome: inout Outcome,
    _ body: (inout Outcome) throws -> Void
  ) throws -> Bool {
    func isHeld(
      until patience: Deadline, isLast: Bool, _ outcome: inout Outcome
    ) throws -> Bool {
      var isHeld = false
      do {
        try store.withLock(.setting(setting), until: patience) {
          isHeld = true
          try body(&outcome)
        }
      } catch LedgerError.locked where !isHeld && !isLast {
        return false
      } catch LedgerError.locked(let path, let heldBy) where !isHeld {
        let sentence = "\(LedgerError.locked(path: path, heldBy: heldBy))"
        if change == nil, host.now < deadline {
          outcome.warnings.append("\(sentence); \(setting) is left to that process")
          return false
        }
        try fail(change, of: holder, because: sentence, until: deadline, &outcome)
      }
      return isHeld
    }
    if change == nil {
      if try isHeld(until: host.now, isLast: false, &outcome) { return true }
      if try !isAwaited || isLockOthers(setting, than: holder, in: store.load()) { return false }
    }
    return try isHeld(until: min(patience, deadline), isLast: true, &outcome)
  }

  private func settle(
    _ setting: Setting, _ change: Change?, of holder: HolderID?, _ growth: PoolGrowth,
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    if setting.isShared {
      return try fill(setting, change, of: holder, growth, until: deadline, &outcome)
    }
    guard
      let intent = try recordIntent(
        setting, for: change, of: holder, until: deadline, &outcome, growth: { _ in growth })
    else { return }
    let result = writeVerified(intent.to, to: setting, until: deadline)
    let (failure, reason) = try recordResult(
      setting, intent, result, for: change, of: holder, until: deadline)
    if case .stands(let value) = result, value != intent.from {
      observe(.changed(setting, from: intent.from, to: value, reason: reason))
    }
    if let failure { try fail(change, of: holder, because: failure, until: deadline, &outcome) }
  }

  /// Lets a domain do without a change that failed, or says that something could not be given back.
  func fail(
    _ change: Change?, of holder: HolderID?, because sentence: String, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws {
    if let change {
      try dropFailedClaim(change, of: holder, with: sentence, until: deadline, &outcome)
    } else if !outcome.failures.contains(sentence) {
      outcome.failures.append(sentence)
    }
  }

  /// Records that a slow write is about to be made; nil where none is needed.
  ///
  /// `growth` may make claims anew on the way: nobody changes any between that and what is written for
  /// them.
  ///
  /// - Throws: `Rejection` where the change is required, and somebody else's value stands there, or
  ///   nothing at all, or nothing that can be read.
  func recordIntent(
    _ setting: Setting, for change: Change?, of holder: HolderID?, until deadline: Deadline,
    _ outcome: inout Outcome, growth: (inout Ledger) throws -> PoolGrowth
  ) throws -> Intent? {
    try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      // Somebody may have claimed it since it was said to be due.
      guard let index = ledger.index(of: setting),
        try !isOthers(ledger.entries[index], than: holder, in: ledger)
      else { return nil }
      // A start that was given up on the way obtains nothing more.
      if let holder, change != nil, !ledger.entries[index].claims.contains(holder) { return nil }
      let before = ledger
      let growth = try growth(&ledger)
      if let leader = ledger.unfinishedLeader(of: ledger.entries[index]) {
        ledger.entries[index].verdict = "\(setting) is put back after \(leader)"
        try store.save(ledger)
        return nil
      }
      let (intent, obstacle) = try look(
        at: index, in: &ledger, growth, until: deadline, &outcome)
      ledger.entries.removeAll { $0.isDone && $0.setting == setting }
      if ledger != before { try store.save(ledger) }
      if let obstacle, change?.isRequired == true { throw Rejection.refused([Refusal(obstacle)]) }
      return intent
    }
  }

  /// Decides about one entry and notes it: what is to be written, or what is in the way.
  private func look(
    at index: Int, in ledger: inout Ledger, _ growth: PoolGrowth, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws -> (intent: Intent?, obstacle: String?) {
    if let obstacle = ledger.blockade(of: index, on: host) {
      outcome.failures.append(obstacle)
      return (nil, obstacle)
    }
    let setting = ledger.entries[index].setting
    do {
      let value = try host.read(setting, until: deadline)
      ledger.entries[index].recordShare(reading: value)
      ledger.entries[index].limitShare(to: value)
      switch try ledger.entries[index].decision(reading: value) {
      case .gone:
        if let sentence = setting.goneSentence { outcome.warnings.append(sentence) }
        ledger.entries[index].finish(.gone, aimingAt: ledger.entries[index].original)
        return (nil, "\(setting) is not there any more")
      case .settled, .awaited:
        ledger.entries[index].settle(at: value)
        return (nil, nil)
      case .foreign(let foreign):
        let sentence = ledger.entries[index].markForeign(foreign)
        outcome.drifts.append(sentence)
        return (nil, sentence)
      case .write(var wanted):
        if let kept = try keep(at: index, in: &ledger, value, wanted) { wanted = kept }
        let intent = value.flatMap { ledger.intent(from: $0, to: wanted, at: index, growth) }
        if let intent { ledger.entries[index].begin(intent) }
        return (intent, nil)
      }
    } catch let error as HostError {
      ledger.entries[index].markUnreadable(because: error, on: host)
      outcome.failures.append("\(error)")
      return (nil, "\(error)")
    }
  }

  /// Records what became of a slow write: why it failed, if it did, and why it was made, unless it gave
  /// something back.
  func recordResult(
    _ setting: Setting, _ intent: Intent, _ result: WriteResult, for change: Change?,
    of holder: HolderID?, until deadline: Deadline
  ) throws -> (failure: String?, reason: String?) {
    // What was taken has to get into the ledger even if the phase has no time left.
    let patience = max(deadline, host.now.advanced(byMilliseconds: 5_000))
    return try store.withLock(.ledger, until: patience) {
      var ledger = try store.load()
      guard let index = ledger.index(of: setting) else { return (nil, nil) }
      var failure = result.failure
      if case .gone = result {
        ledger.entries[index].finish(result, aimingAt: intent.to)
        // That nothing is left to be given back is no failure; that a domain lacks it is one.
        failure = change.map { "\($0.setting) is not there any more" }
      } else if setting.isShared, !result.isLeftBehind {
        // A part of the pages is a result, too. Where they are claimed now, the claim decides what
        // it is worth; where they are given back or missing since, it is a failure.
        if let count = result.count { ledger.entries[index].recordShare(reading: .count(count)) }
        if let holder, change != nil, intent.missing(after: result) == 0 {
          ledger.entries[index].putFirst(holder)
        }
        failure = change == nil || result.count == nil ? result.failure : nil
        ledger.entries[index].verdict = failure
      } else {
        ledger.entries[index].finish(result, aimingAt: intent.to)
      }
      let reason = ledger.entries[index].lastReason
      ledger.entries.removeAll { $0.isDone && $0.setting == setting }
      try store.save(ledger)
      return (failure, reason)
    }
  }

  /// Lets a domain do without a slow change, or rejects it.
  private func dropFailedClaim(
    _ change: Change, of holder: HolderID?, with sentence: String, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws {
    if change.isRequired { throw Rejection.refused([Refusal(sentence)]) }
    outcome.warnings.append(sentence)
    try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      guard let index = ledger.index(of: change.setting) else { return }
      if let holder { ledger.entries[index].claims.removeAll(of: holder) }
      try store.save(ledger)
    }
  }

  /// - Throws: `Rejection` where a step that the domain cannot do without failed.
  func perform(
    _ steps: [PlannedStep], for holder: HolderID?, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws(Rejection) {
    for planned in steps where planned.isRequired || host.now < deadline {
      do {
        try perform(planned.step, for: holder, until: deadline)
        observe(.performed(planned.step))
      } catch {
        if planned.isRequired { throw .refused([Refusal("\(error)")]) }
        outcome.warnings.append("\(error)")
      }
    }
  }

  /// Does a step; one that changes a setting under that setting's lock, and only while its claim is
  /// on record: whoever drops the claim meanwhile waits for the lock, and puts back what was there.
  private func perform(_ step: Step, for holder: HolderID?, until deadline: Deadline) throws {
    guard let setting = step.setting else { return try host.perform(step, until: deadline) }
    try store.withLock(.setting(setting), until: deadline) {
      let isOnRecord = try store.withLock(.ledger, until: deadline) {
        try store.load().records(step, for: holder)
      }
      if isOnRecord { try host.perform(step, until: deadline) }
    }
  }
}

extension Step {
  /// The setting that the step changes; nil for one that changes none.
  var setting: Setting? {
    if case .once(let setting, _) = self { setting } else { nil }
  }
}

extension Ledger {
  /// What an entry that is to be given back has to wait for: put back before, it would be changed
  /// again.
  fileprivate func unfinishedLeader(of entry: Entry) -> Setting? {
    guard entry.claims.isEmpty, let leader = entry.setting.leader,
      let index = index(of: leader), entries[index].claims.isEmpty
    else { return nil }
    return leader
  }
}

extension WriteResult {
  /// The pages that stand in the pool now, where that could be read.
  var count: Int? {
    switch self {
    case .stands(let value): value.count
    case .failed(_, let value): value?.count
    case .gone, .awaited, .leftBehind: nil
    }
  }
}

extension Value {
  var count: Int? {
    if case .count(let count) = self { count } else { nil }
  }
}

extension Claim {
  /// The pages that are claimed beyond those of others.
  var pages: Int { if case .more(let count, _) = self { count } else { 0 } }
}

extension Entry {
  /// What is claimed of a shared setting beyond what others keep there.
  var claimedPages: Int { claims.reduce(0) { $0 + $1.claim.pages } }

  /// What is claimed of a shared setting and was not obtained.
  var missingShare: Int {
    max(0, claimedPages - share)
  }

  /// Puts the claim of a domain before all others that has obtained its pages just now: what is missing
  /// from here on, or was before, is missing of others rather than of that one.
  mutating func putFirst(_ holder: HolderID) {
    claims = Claims(
      claims.filter { $0.holder == holder } + claims.filter { $0.holder != holder })
  }

  mutating func reduceClaim(of holder: HolderID, by missing: Int) {
    for held in claims where held.holder == holder {
      guard case .more(let count, let need) = held.claim else { continue }
      replaceClaim(of: holder, by: .more(max(0, count - missing), need: need))
    }
  }

  mutating func replaceClaim(of holder: HolderID, by claim: Claim) {
    claims = Claims(
      claims.map { held in
        var other = held
        if held.holder == holder { other.claim = claim }
        return other
      })
  }

  /// Gives up what somebody else has taken out of a shared setting, as the global reset of
  /// Proxmox does: what does not stand there cannot be taken off again, nor is it what others keep there.
  mutating func limitShare(to value: Value?) {
    guard setting.isShared, let standing = value?.count else { return }
    share = min(share, standing)
    if case .count(let first) = original, standing < first { original = .count(standing) }
  }
}
