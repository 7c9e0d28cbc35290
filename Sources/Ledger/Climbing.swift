internal import HostModel

/// Changes of ladders that could not be recorded.
struct RefusedChanges {
  /// Those whose place is not there, or not yet.
  private(set) var missing: [Change] = []
  /// Why, by setting.
  private(set) var reasons: [Setting: String] = [:]

  mutating func add(_ change: Change, _ isMissing: Bool, _ reason: String) {
    if isMissing { missing.append(change) }
    reasons[change.setting] = reason
  }

  mutating func remove(_ change: Change) {
    missing.removeAll { $0 == change }
    reasons[change.setting] = nil
  }

  func isMissing(_ change: Change) -> Bool { missing.contains(change) }
}

extension Engine {
  /// Has the best way to a goal stand that the host grants, and gives back what the others took.
  ///
  /// The first one's changes have been settled with the plan's. Each way is read back, so that what the
  /// kernel only pretends to have done counts as refused. Where it ended, and why not further up, is on
  /// record with the domain, and told.
  func climb(
    _ ladder: Ladder, for holder: Holder, past refused: RefusedChanges, in ledger: inout Ledger,
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    guard let best = ladder.rungs.first else { return }
    var attained = Attainment(ladder.goal, rung: nil, misses: ladder.misses)
    var found: [Miss] = []
    for rung in ladder.rungs {
      var refused = rung == best ? refused : RefusedChanges()
      let changes = rung == best ? refused.missing : rung.changes
      try take(changes, for: holder.id, &refused, in: &ledger, until: deadline, &outcome)
      let failures = ledger.failures(of: rung, of: holder.id, refused)
      if let failure = failures.first, !rung.isPartial || failures.count == rung.changes.count {
        // A group that is gone with its QEMU refuses nothing: the domain gives all back in a moment.
        if let process = holder.process, !host.isAlive(process) { return }
        found.append(Miss(rung.name, because: failure.reason))
        try leave(rung.changes, of: holder.id, in: &ledger, until: deadline, &outcome)
      } else {
        attained.rung = rung.name
        try leave(
          failures.map(\.change) + ladder.changes(besides: rung), of: holder.id, in: &ledger,
          until: deadline, &outcome)
        outcome.warnings += failures.filter { !refused.isMissing($0.change) }.map {
          "\(ladder.goal) of \(holder.name) is incomplete: \($0.reason)"
        }
        break
      }
    }
    if found.isEmpty { return }
    attained.misses += found
    outcome.warnings += found.map { "\(ladder.goal) of \(holder.name): \($0)" }
    outcome.warnings.append(
      "\(ladder.goal) of \(holder.name) ends at: \(attained.rung ?? ladder.ground)")
    // What else is planned may depend on which way it is.
    outcome.isToBeContinued = true
    guard var climbed = ledger.holder(holder.id) else { return }
    climbed.attain(attained)
    ledger.put(climbed)
    try store.save(ledger)
  }

  /// Records changes and settles them; those whose place comes with another one of them, after that.
  private func take(
    _ changes: [Change], for holder: HolderID, _ refused: inout RefusedChanges,
    in ledger: inout Ledger, until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    var left = changes
    for _ in 0..<2 where !left.isEmpty {
      var admission = Admission(to: ledger)
      for change in left {
        refused.remove(change)
        do throws(Objection) {
          try admission.admit(
            change, for: holder, into: &ledger, reading: host, until: deadline)
        } catch {
          refused.add(change, error.isMissing, error.sentence(about: change, in: ledger))
        }
      }
      let isAnyRecorded = left.contains { refused.reasons[$0.setting] == nil }
      left = left.filter(refused.isMissing)
      guard isAnyRecorded else { return }
      _ = try settleQuick(&ledger, for: holder, until: deadline, &outcome)
    }
  }

  /// Drops a domain's claims on what changes are about, and gives it back; what has failed of them is no
  /// failure of the host's.
  private func leave(
    _ changes: [Change], of holder: HolderID, in ledger: inout Ledger, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws {
    var isHeld = false
    let positions = ledger.positions
    for change in changes {
      guard let index = positions[change.setting], ledger.entries[index].claims.contains(holder)
      else { continue }
      if let verdict = ledger.entries[index].verdict {
        outcome.failures.removeAll { $0 == verdict }
      }
      ledger.entries[index].claims.removeAll(of: holder)
      isHeld = true
    }
    if isHeld { _ = try settleQuick(&ledger, for: holder, until: deadline, &outcome) }
  }
}

extension Plan {
  /// What the ways to goals are about that are tried first.
  var settingsOnLadders: Set<Setting> {
    var settings: Set<Setting> = []
    for ladder in ladders {
      for change in ladder.rungs.first?.changes ?? [] { settings.insert(change.setting) }
    }
    return settings
  }
}

extension Ladder {
  /// The changes of all other rungs that one does not have in common with them.
  fileprivate func changes(besides rung: Rung) -> [Change] {
    let kept = Set(rung.changes.map(\.setting))
    return rungs.filter { $0 != rung }.flatMap(\.changes).filter { !kept.contains($0.setting) }
  }
}

extension Ledger {
  /// The changes of a rung that do not stand for a domain, each with the reason.
  fileprivate func failures(
    of rung: Rung, of holder: HolderID, _ refused: RefusedChanges
  ) -> [(change: Change, reason: String)] {
    let positions = positions
    return rung.changes.compactMap { change in
      if let reason = refused.reasons[change.setting] { return (change, reason) }
      guard let index = positions[change.setting], entries[index].claims.contains(holder) else {
        return (change, "\(change.setting) is gone")
      }
      // What somebody else has decided is told by itself, and no reason to do more.
      return entries[index].verdict.map { (change, $0) }
    }
  }
}

extension Holder {
  /// The domain as it is if each ladder's best way stands.
  func climbing(_ ladders: [Ladder]) -> Holder {
    var holder = self
    for ladder in ladders {
      holder.attain(
        Attainment(ladder.goal, rung: ladder.rungs.first?.name, misses: ladder.misses))
    }
    return holder
  }

  fileprivate mutating func attain(_ attainment: Attainment) {
    attained.removeAll { $0.goal == attainment.goal }
    attained.append(attainment)
  }
}
