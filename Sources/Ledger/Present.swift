package import HostModel

/// The present: what a plan may count on while domains are on their way out.
extension Ledger {
  /// The facts of the host as it will be without those who leave, all but one, as that one's plan is to
  /// see it: those who left, and those of whom `isOver` says that they do.
  ///
  /// A domain that has left bears on the host until its settings are given back, which may take a
  /// while and happen in another process. What stands there by then is no more the host's own value
  /// than what it holds is free: a plan made from it would claim nothing, and lose it a moment later.
  /// Made from these facts it claims the setting, whose entry has the original, and the leaver's
  /// process finds it claimed and leaves it.
  ///
  /// What somebody else has put there meanwhile stands, as it does when the setting is given back.
  package func withoutLeavers(
    _ facts: HostFacts, besides id: HolderID?, _ isOver: (Holder) -> Bool
  ) -> HostFacts {
    var present = self
    present.dropGone(besides: id, isOver)
    var seen = present.withoutExcess(facts, besides: id)
    let over = holders.filter { $0.process != nil && present.holder($0.id) == nil }.map(\.id)
    for entry in present.entries {
      guard case .hugepagePool(let pool) = entry.setting else { continue }
      seen.excludeFromSurplus(present.pagesInUse(of: entry, in: pool, facts), of: pool)
    }
    for entry in over.isEmpty ? [] : entries {
      guard case .hugepagePool(let pool) = entry.setting else { continue }
      // What their QEMU had in memory may not be free yet, and is no stranger's.
      let claimed = entry.claims.filter { over.contains($0.holder) }.map(\.claim.pages)
      seen.excludeFromSurplus(claimed.reduce(0, +), of: pool)
    }
    return seen
  }

  /// The facts as they will be once what nobody claims has been given back.
  private func withoutExcess(_ facts: HostFacts, besides id: HolderID?) -> HostFacts {
    var seen = facts
    var outdating = OutdatedQuestion()
    // As they are given back: where two tell of one place, the earlier original is the host's.
    for entry in entries.reversed() where entry.claims.isEmpty || outdating.answer(for: entry) {
      // Of a pool as much stays as those on their way in lack, that one among them (`Engine.keep`).
      if entry.setting.isShared, let id, entry.claims.contains(id) { continue }
      if let standing = facts[entry.setting], let value = entry.valueToCome(after: standing) {
        seen[entry.setting] = value
      }
    }
    return seen
  }

  /// The pages of domains that run, or whose QEMU does, that a hypervisor has taken off a pool: they are
  /// surplus, and obtained anew for them.
  private func pagesInUse(of entry: Entry, in pool: HugepagePool, _ facts: HostFacts) -> Int {
    var entry = entry
    entry.recordShare(reading: facts[entry.setting])
    entry.limitShare(to: facts[entry.setting])
    // A QEMU maps all of its memory at once; what it has not touched is reserved for it.
    let mapped = facts.neighbours.filter { $0.takenKiB != nil }.flatMap(\.pendingPages)
      .filter { $0.pool == pool }.reduce(0) { $0 + $1.need }
    return min(entry.missingShare, most(of: entry, .settled) + mapped)
  }

  /// Takes those out who are gone although nobody said so, all but one.
  package mutating func dropGone(besides id: HolderID?, _ isGone: (Holder) -> Bool) {
    for holder in holders where holder.id != id && isGone(holder) { drop(holder.id) }
  }
}

extension Entry {
  /// What will stand in the setting once those who left have given it back; nil where nothing of it
  /// is theirs.
  func valueToCome(after standing: Value) -> Value? {
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
