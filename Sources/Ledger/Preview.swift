internal import Bytes
package import HostModel

/// What one change of a plan would do, found out without doing it.
package struct PreviewedChange: Hashable, Sendable {
  package var change: Change
  /// What stands there now; nil where the place does not exist yet.
  package var from: Value?
  /// What would stand there; nil where the place does not exist yet.
  package var to: Value?
  /// What would stand there once the domain has left, if nothing else changes until then.
  package var afterwards: Value?
  /// Why the change would not be made, as a sentence of its own.
  package var objection: String?
  /// What other domains claim of the setting.
  package var others: [OtherClaim] = []
}

/// What another domain claims of a setting.
package struct OtherClaim: Hashable, Sendable {
  package var domain: String
  package var claim: Claim
  /// Why it does.
  package var reason: String
}

/// What becomes of one setting when a domain leaves, found out without letting it go.
package struct PreviewedReturn: Hashable, Sendable {
  package var setting: Setting
  /// What stands there now; nil where the place is gone or cannot be read.
  package var from: Value?
  /// What would stand there; the same where it is left alone.
  package var to: Value?
  /// Whether somebody else has changed it, for which it is left alone.
  package var isForeign = false
  /// The domains that claim it still.
  package var others: [OtherClaim] = []
}

extension PreviewedChange {
  /// What the domain would give back of it in the end; nil where there is nothing.
  package var returned: PreviewedReturn? {
    guard objection == nil else { return nil }
    var returned = PreviewedReturn(setting: change.setting, others: others)
    if case .lent(let value) = change.claim {
      // A step or the hypervisor puts it there, of which the claim knows nothing.
      (returned.from, returned.to) = (value, from)
    } else {
      (returned.from, returned.to) = (to, afterwards)
    }
    // What does not exist yet goes with the domain.
    return returned.from == nil ? nil : returned
  }
}

extension Ledger {
  /// What a plan would do on a host, beside the claims that others hold.
  package func preview(
    _ plan: Plan, for holder: HolderID, on host: any SettingReader, until deadline: Deadline
  ) -> [PreviewedChange] {
    let positions = positions
    return plan.changes.map { change in
      preview(change, at: positions[change.setting], for: holder, on: host, until: deadline)
    }
  }

  /// The claim is admitted as the engine would, into a ledger that knows this setting alone.
  private func preview(
    _ change: Change, at index: Int?, for holder: HolderID, on host: any SettingReader,
    until deadline: Deadline
  ) -> PreviewedChange {
    var preview = PreviewedChange(change: change)
    var trial = Ledger()
    trial.holders = holders
    if let index {
      trial.entries = [entries[index]]
      preview.others = others(than: holder, in: entries[index])
    }
    do throws(HostError) {
      preview.from = try host.read(change.setting, until: deadline)
    } catch {
      preview.objection = "\(error)"
      return preview
    }
    if let index, let standing = preview.from,
      let coming = entries[index].valueToCome(after: standing)
    {
      preview.from = coming
      // Once given back it has no entry any more.
      if entries[index].claims.isEmpty { trial.entries = [] }
    }
    // What is not there yet may be made before the change is.
    if preview.from == nil, trial.entries.isEmpty { return preview }
    do throws(Objection) {
      var admission = Admission(to: trial)
      try admission.admit(
        change, for: holder, into: &trial, reading: KnownValue(value: preview.from),
        until: deadline)
    } catch {
      preview.objection = error.sentence(about: change, in: self)
      return preview
    }
    guard let value = preview.from, var entry = trial.entries.first else { return preview }
    preview.to = entry.target(given: value)
    entry.claims.removeAll(of: holder)
    preview.afterwards = entry.target(given: value)
    return preview
  }

  /// What a domain gives back when it leaves, in that order.
  package func previewRelease(
    of holder: HolderID, on host: any SettingReader, until deadline: Deadline
  ) -> [PreviewedReturn] {
    entries.reversed().compactMap { entry in
      guard entry.claims.contains(holder) else { return nil }
      var left = entry
      left.claims.removeAll(of: holder)
      var preview = PreviewedReturn(
        setting: entry.setting, others: others(than: holder, in: entry))
      // A place that cannot be read is shown as one of which nothing is known.
      guard let value = try? host.read(entry.setting, until: deadline) else { return preview }
      preview.from = value
      preview.isForeign = (try? entry.author(of: value, on: host)) == .somebody
      preview.to = preview.isForeign ? value : left.target(given: value)
      return preview
    }
  }

  private func others(than holder: HolderID, in entry: Entry) -> [OtherClaim] {
    entry.claims.filter { $0.holder != holder }.map { held in
      OtherClaim(domain: name(of: held.holder), claim: held.claim, reason: entry.reason(for: held))
    }
  }

  /// The tasks whose CPUs are kept for some domain, to be put back when it leaves, or are still to be
  /// put back for one that has left.
  package var keptTasks: [HostThread] {
    entries.compactMap { entry in
      guard case .affinity(let task) = entry.setting,
        entry.hasOnlyPassiveClaims || entry.claims.isEmpty && task.role == .foreign
      else { return nil }
      return task
    }
  }

  /// What a domain claims.
  package func settings(claimedBy holder: HolderID) -> [Setting] {
    var question = ClaimQuestion()
    return entries.filter { entry in question.answer(for: entry.claims) { $0.contains(holder) } }
      .map(\.setting)
  }

  /// The functions whose driver is to be put back one day.
  package var takenFunctions: Set<PCIAddress> {
    var taken: Set<PCIAddress> = []
    for entry in entries {
      if case .driver(let function) = entry.setting { taken.insert(function) }
    }
    return taken
  }

  /// The services of domains that are in by which others were stopped.
  package var askedServices: [OwnService] {
    entries.compactMap { entry in
      guard case .ownService(let service) = entry.setting, service.manner == .asked,
        !entry.claims.isEmpty
      else { return nil }
      return service
    }
  }

  /// The tasks of the host that some domain has moved.
  package var movedTasks: Set<HostThread> {
    Set(
      entries.compactMap { entry in
        guard case .affinity(let task) = entry.setting, task.role == .foreign,
          entry.claims.contains(where: { !$0.claim.isPassive })
        else { return nil }
        return task
      })
  }

  /// The domains other than one that are in, as far as the ledger alone tells.
  package func neighbours(of holder: HolderID?) -> [Neighbour] {
    neighbours(of: holder, on: nil) { _ in nil }
  }

  /// The domains other than one that are in, as a plan for that one has to know them.
  ///
  /// Of a pool that is being filled, what `facts` tell is what has been obtained so far: its write may
  /// have ended since the ledger was read. `taken` tells in KiB what a QEMU has taken out of all pools
  /// already; nil where none is seen to run.
  package func neighbours(
    of holder: HolderID?, on facts: HostFacts?, taken: (Holder) throws -> Int?
  ) rethrows -> [Neighbour] {
    let others = holders.filter { $0.id != holder }
    // One that has arrived has all of its pages, even where its QEMU is not recognised.
    let coming = others.filter { !$0.isIn }
    let pools = coming.isEmpty ? [] : entries.filter(\.setting.isShared)
    var takenKiB: [HolderID: Int] = [:]
    for other in coming where pools.contains(where: { $0.claims.contains(other.id) }) {
      takenKiB[other.id] = try taken(other)
    }
    var pending: [HolderID: [PendingPages]] = [:]
    for entry in pools {
      var entry = entry
      if let standing = facts?[entry.setting] {
        entry.recordShare(reading: standing)
        entry.limitShare(to: standing)
      }
      let running = self.holders.filter(\.isIn).map(\.id)
      for (id, pages) in entry.pendingPages(in: running, arriving: takenKiB.keys)
      where coming.contains(where: { $0.id == id }) {
        pending[id, default: []].append(pages)
      }
    }
    let isolated = others.contains(where: \.isIn) ? isolatedCPUs : [:]
    return others.map { other in
      var neighbour = Neighbour(
        holder: other.id, name: other.name, vcpuCPUs: other.vcpuCPUs,
        pendingPages: pending[other.id] ?? [])
      neighbour.takenKiB = takenKiB[other.id]
      // Of one that is still to come nobody knows yet.
      if other.isIn { neighbour.isolatedCPUs = isolated[other.id] ?? [] }
      return neighbour
    }
  }

  /// The pages that a domain is to have of each pool.
  package func pagesNeeded(by id: HolderID) -> [HugepagePool: Int] {
    var needed: [HugepagePool: Int] = [:]
    for entry in entries {
      guard case .hugepagePool(let pool) = entry.setting else { continue }
      for held in entry.claims where held.holder == id {
        if case .more(_, let need) = held.claim { needed[pool] = need }
      }
    }
    return needed
  }

  /// The CPUs that the host's own tasks are kept off for a domain.
  package func isolatedCPUs(of holder: HolderID) -> CPUList { isolatedCPUs[holder] ?? [] }

  /// The CPUs that the host's own tasks are kept off, by the domain that has them to itself.
  private var isolatedCPUs: [HolderID: CPUList] {
    var isolated: [HolderID: CPUList] = [:]
    for entry in entries {
      for held in entry.claims {
        guard let cpus = held.claim.cpus(takenFromTasksBy: entry.setting) else { continue }
        isolated[held.holder] = (isolated[held.holder] ?? []).union(cpus)
      }
    }
    return isolated
  }
}

extension Claim {
  /// The CPUs that a claim on a setting keeps the host's own tasks off; nil where it does not.
  func cpus(takenFromTasksBy setting: Setting) -> CPUList? {
    switch (setting, self) {
    case (.allowedCPUs, .withoutCPUs(let cpus, _)), (.cpuset, .withoutCPUs(let cpus, _)): cpus
    case (.attribute(let path, _), .withCPUs(let cpus))
    where path.ends(with: "/cpuset.cpus.exclusive"):
      cpus
    default: nil
    }
  }
}

extension Entry {
  /// The pages of a pool that those who claim some count on.
  ///
  /// What has been obtained is not booked by holder: what is missing of the pool counts as missing of
  /// those whose claims come last, and only once, as all else is there and theirs. Whoever asks is one
  /// of them: what it lacks is not missing of others, whose pages would look free then. Those who run
  /// have their own in use, and lack no more than what they claim beyond that. A QEMU that runs, of a
  /// domain on its way in, has its own.
  fileprivate func pendingPages(
    in settled: [HolderID], arriving: some Collection<HolderID>
  ) -> [(HolderID, PendingPages)] {
    guard case .hugepagePool(let pool) = setting else { return [] }
    var missing = missingShare
    var pending: [(HolderID, PendingPages)] = []
    let last = claims.reversed()
    let waiting = last.filter { !arriving.contains($0.holder) }
    for held in waiting + last.filter({ arriving.contains($0.holder) }) {
      guard case .more(let count, let need) = held.claim else { continue }
      let most = settled.contains(held.holder) ? max(0, count - need) : count
      let outstanding = min(most, missing)
      missing -= outstanding
      pending.append(
        (held.holder, PendingPages(pool: pool, need: need, outstanding: outstanding)))
    }
    return pending.reversed()
  }
}

/// A host on which one setting was read already.
private struct KnownValue: SettingReader {
  var value: Value?

  func read(_ setting: Setting, until deadline: Deadline) throws(HostError) -> Value? { value }

  // Nothing is asked of a claim but what stands there.
  func confinement(of setting: Setting) throws(HostError) -> CPUList? { nil }

  func initialValue(of setting: Setting) throws(HostError) -> Value? { nil }

  func onlineCPUs() throws(HostError) -> CPUList { [] }

  func hasSlept() throws(HostError) -> Bool { false }
}
