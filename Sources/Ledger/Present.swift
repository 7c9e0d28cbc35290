package import HostModel

/// The present: what a plan may count on while domains are on their way out.
extension Ledger {
  /// The facts of the host as it will be without those who leave.
  ///
  /// A domain that has left bears on the host until its settings are given back, which may take a
  /// while and happen in another process. What stands there by then is no more the host's own value
  /// than what it holds is free: a plan made from it would claim nothing, and lose it a moment later.
  /// Made from these facts it claims the setting, whose entry has the original, and the leaver's
  /// process finds it claimed and leaves it.
  ///
  /// What somebody else has put there meanwhile stands, as it does when the setting is given back.
  package func withoutLeavers(_ facts: HostFacts) -> HostFacts {
    var seen = facts
    var outdating = OutdatedQuestion()
    // As they are given back: where two tell of one place, the earlier original is the host's.
    for entry in entries.reversed() where entry.claims.isEmpty || outdating.answer(for: entry) {
      if let standing = facts[entry.setting], let value = entry.valueToCome(after: standing) {
        seen[entry.setting] = value
      }
    }
    for entry in entries {
      guard case .hugepagePool(let pool) = entry.setting else { continue }
      // What a hypervisor has taken from domains that run is surplus, and obtained anew for them.
      seen.excludeFromSurplus(most(of: entry, .settled), of: pool)
    }
    return seen
  }

  /// Takes those out who are gone although nobody said so, all but one.
  package mutating func dropGone(besides id: HolderID?, _ isGone: (Holder) -> Bool) {
    for holder in holders where holder.id != id && isGone(holder) { drop(holder.id) }
  }
}

extension Entry {
  /// What will stand in the setting once those who left have given it back; nil where nothing of it
  /// is theirs.
  fileprivate func valueToCome(after standing: Value) -> Value? {
    if setting.isShared { return countToCome(after: standing) }
    guard claims.isEmpty || !setting.isSlow, !isForeign(standing) else { return nil }
    return target(given: standing)
  }

  /// The same of a pool: without the pages that were obtained and that nobody claims any more, as
  /// far as a write that has begun to give them back has not taken them off already.
  private func countToCome(after standing: Value) -> Value? {
    var entry = self
    entry.recordShare(reading: standing)
    entry.limitShare(to: standing)
    guard case .count(let count) = standing, entry.surplus > 0 else { return nil }
    return .count(count - entry.surplus)
  }
}
