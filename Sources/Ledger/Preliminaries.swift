internal import HostModel

extension Engine {
  /// Makes what has to be made before a plan can be carried out.
  func applyFirst(
    _ plan: Plan, for holder: Holder, until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    for change in plan.cycles { try cycle(change, for: holder, until: deadline, &outcome) }
    guard !plan.preliminaries.isEmpty else { return }
    var first = Plan(phase: plan.phase)
    first.changes = plan.preliminaries
    try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      try recordAndSettle(first, for: holder, &ledger, until: deadline, &outcome)
    }
    try settleSlow(first, for: holder.id, until: deadline, &outcome)
  }

  /// Makes one change and takes it back at once.
  ///
  /// It is a claim like any other for as long as it stands: where the process dies in between,
  /// recovery drops its domain with the claim and puts the original back.
  private func cycle(
    _ change: Change, for holder: Holder, until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    var plan = Plan(phase: .prepare)
    plan.changes = [change]
    let isTaken = try store.withLock(.ledger, until: deadline) {
      var ledger = try store.load()
      if let other = ledger.holder(affectedBy: change.setting, besides: holder.id) {
        outcome.warnings.append(
          "\(change.setting) is left as it is, since \(ledger.name(of: other)) holds some of it")
        return false
      }
      try recordAndSettle(plan, for: holder, &ledger, until: deadline, &outcome)
      return true
    }
    guard isTaken else { return }
    try settleSlow(plan, for: holder.id, until: deadline, &outcome)

    // What stands now is nobody's wish: it is taken back even if the phase has no time left.
    let patience = max(deadline, host.now.advanced(byMilliseconds: 30_000))
    try store.withLock(.ledger, until: patience) {
      var ledger = try store.load()
      if let index = ledger.index(of: change.setting) {
        ledger.entries[index].claims.removeAll(of: holder.id)
      }
      _ = try settleQuick(&ledger, for: holder.id, until: patience, &outcome)
    }
    try settleSlow(Plan(phase: .prepare), for: holder.id, until: patience, &outcome)
  }
}

extension Ledger {
  /// A domain with a claim on something that a change of a setting would take away.
  fileprivate func holder(
    affectedBy setting: Setting, besides holder: HolderID
  ) -> HolderID? {
    for entry in entries where setting.removes(entry.setting) {
      if let other = entry.claims.first(where: { $0.holder != holder }) { return other.holder }
    }
    return nil
  }
}
