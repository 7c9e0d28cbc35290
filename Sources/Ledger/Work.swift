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
  /// The domains for which another process is at work.
  func busyHolders(in ledger: Ledger) throws(HostError) -> Set<HolderID> {
    var busy: Set<HolderID> = []
    for holder in ledger.holders {
      guard let worker = holder.worker, host.isAlive(worker) else { continue }
      if try worker != host.worker() { busy.insert(holder.id) }
    }
    return busy
  }

  /// Whether a setting is another process's to settle by now, whoever was to settle it before.
  func isOthers(
    _ setting: Setting, than holder: HolderID?, in ledger: Ledger
  ) throws(HostError) -> Bool {
    guard let index = ledger.index(of: setting) else { return false }
    return ledger.entries[index].isOthers(than: holder, busy: try busyHolders(in: ledger))
  }

  /// Whether another process may hold a setting's lock for as long as its own work takes.
  func isLockOthers(
    _ setting: Setting, than holder: HolderID?, in ledger: Ledger
  ) throws(HostError) -> Bool {
    let busy = try busyHolders(in: ledger)
    return ledger.entries.contains { entry in
      entry.isOthers(than: holder, busy: busy) && entry.setting.lockName == setting.lockName
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

  /// The settings at which no other process is at work, so that their end can be waited for.
  func settingsToWait(besides busy: Set<HolderID>) -> Set<Setting> {
    var settings: Set<Setting> = []
    for entry in entries where !entry.claims.contains(where: { busy.contains($0.holder) }) {
      settings.insert(entry.setting)
    }
    return settings
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
  func isOthers(than holder: HolderID?, busy: Set<HolderID>) -> Bool {
    !setting.isShared && claims.contains { busy.contains($0.holder) }
      && !(holder.map(claims.contains) ?? false)
  }

  /// How much more of a shared setting has been obtained than is claimed.
  var surplus: Int {
    setting.isShared ? max(0, share - claims.reduce(0) { $0 + $1.claim.pages }) : 0
  }
}
