package import HostModel

/// What a process is about to do for one domain.
struct Work {
  var holder: Holder
  var plan = Plan(phase: .prepare)
  /// What is to be settled outside the ledger's lock.
  var slow: [Setting] = []
  /// Whether anything of it may be on record.
  var isRecorded = false
}

// Work in progress: the claims of a domain are carried out by one process, in the order of its plan.
// As long as it lives, others neither touch them nor wait for them.
extension Engine {
  /// Whether another process is at work for a domain.
  private func isBusy(_ holder: Holder) throws(HostError) -> Bool {
    guard let worker = holder.worker, try worker != host.worker() else { return false }
    return host.isAlive(worker)
  }

  /// The domains for which another process is at work.
  func busyHolders(in ledger: Ledger) throws(HostError) -> Set<HolderID> {
    var busy: Set<HolderID> = []
    for holder in ledger.holders where try isBusy(holder) { busy.insert(holder.id) }
    return busy
  }

  /// - Throws: `EarlierStart` where another process starts the same domain, whose claims are not to be
  ///   mixed with those of this one, nor given back for it.
  func checkWay(of holder: Holder, in ledger: Ledger) throws {
    guard !holder.isIn, let other = ledger.holder(holder.id), let worker = other.worker,
      try isBusy(other)
    else { return }
    throw EarlierStart(domain: other.name, pid: worker.pid)
  }

  /// Whether a setting is another process's to settle by now, whoever was to settle it before.
  func isOthers(_ entry: Entry, than holder: HolderID?, in ledger: Ledger) throws -> Bool {
    try entry.isOthers(than: holder) { try ledger.holder($0).map(isBusy) ?? false }
  }

  /// Whether another process may hold a setting's lock for as long as its own work takes.
  func isLockOthers(_ setting: Setting, than holder: HolderID?, in ledger: Ledger) throws -> Bool {
    try ledger.entries.contains { entry in
      try entry.setting.lockName == setting.lockName
        && isOthers(entry, than: holder, in: ledger)
    }
  }

  /// Says that a domain's claims have been carried out.
  func end(_ work: Work, until deadline: Deadline) throws {
    guard let worker = work.holder.worker else { return }
    let patience = max(deadline, host.now.advanced(byMilliseconds: 5_000))
    try store.withLock(.ledger, until: patience) {
      var ledger = try store.load()
      guard var holder = ledger.holder(work.holder.id), holder.worker == worker else { return }
      holder.worker = nil
      // Only from here on is the domain itself to be waited for.
      if !holder.isIn { holder.since = max(holder.since, host.now.secondsSinceBoot) }
      ledger.put(holder)
      try store.save(ledger)
    }
  }
}

/// Another process still makes the host ready for the same domain.
package struct EarlierStart: Error, Hashable, Sendable, CustomStringConvertible {
  package var domain: String
  package var pid: Int

  package init(domain: String, pid: Int) {
    self.domain = domain
    self.pid = pid
  }

  package var description: String {
    "process \(pid) still makes the host ready for an earlier start of \(domain)"
  }
}

extension Plan {
  /// Whether something has to be made before the rest can be planned.
  var hasForerunners: Bool { !cycles.isEmpty || !preliminaries.isEmpty }

  /// Whether it takes more than what is settled under the ledger's lock.
  var isSlow: Bool {
    hasForerunners || changes.contains { $0.setting.isSlow } || !steps.isEmpty
      || !poolEvents.isEmpty
  }
}

extension Ledger {
  /// Whether something is still to be given back, or was left half done, and nobody is at work on it.
  package func isUnfinished(besides isAtWork: (Holder) -> Bool) -> Bool {
    if unfinishedCount == 0 { return false }
    let busy = holders.filter(isAtWork).map(\.id)
    return entries.contains { entry in
      entry.isUnfinished && !entry.claims.contains { busy.contains($0.holder) }
    }
  }

  /// What another process may have left to the one that was at work on it: to be given back, or to be
  /// obtained anew for a domain that is in, and not tried yet.
  func leftOver(among settings: [Setting]) -> [Setting] {
    settings.filter { setting in
      guard let index = index(of: setting) else { return false }
      let entry = entries[index]
      guard entry.verdict == nil, entry.foreign == nil else { return false }
      return entry.claims.isEmpty || entry.surplus > 0
        || entry.setting.isShared && most(of: entry, .settled) > 0
    }
  }
}

extension Entry {
  /// Whether others are at work on the setting; of a pool each takes its own.
  func isOthers(
    than holder: HolderID?, isBusy: (HolderID) throws -> Bool
  ) rethrows -> Bool {
    if setting.isShared || holder.map(claims.contains) ?? false { return false }
    return try claims.contains { try isBusy($0.holder) }
  }

  /// How much more of a shared setting has been obtained than is claimed.
  var surplus: Int {
    setting.isShared ? max(0, share - claimedPages) : 0
  }
}
