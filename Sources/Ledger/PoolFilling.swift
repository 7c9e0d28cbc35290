internal import HostModel

extension Engine {
  /// Brings a pool to what is claimed of it, by as many attempts as bring it nearer.
  ///
  /// A write to `nr_hugepages` succeeds whatever it obtained (mm/hugetlb.c, `set_max_huge_pages`),
  /// so only reading back tells. Between attempts the change's remedies make room; a round of all
  /// of them without gain ends the matter. Each attempt is made anew from what stands there by then,
  /// while nobody else who keeps to a lock changes the pool: what others did meanwhile is neither
  /// taken for Berth's nor undone.
  func fill(
    _ setting: Setting, _ change: Change?, of holder: HolderID?, _ growth: PoolGrowth,
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    var filling = Filling(growth: growth, change: change, began: host.now)
    while try attempt(setting, of: holder, &filling, until: deadline, &outcome) {
      guard let remedy = filling.remedies.first, host.now < deadline else { break }
      announce(setting, filling)
      do throws(HostError) {
        try host.perform(remedy, until: deadline)
        observe(.performed(remedy))
      } catch {
        // A remedy is an attempt: what counts is whether the next write obtains more.
      }
    }
    announceEnd(setting, filling)
    if let change = filling.change, let holder {
      try settleShortage(filling, change, of: holder, until: deadline, &outcome)
    }
    if let failure = filling.failure {
      try fail(filling.change, of: holder, because: failure, until: deadline, &outcome)
    }
  }

  /// One attempt; whether pages are missing still.
  private func attempt(
    _ setting: Setting, of holder: HolderID?, _ filling: inout Filling,
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws -> Bool {
    do {
      return try host.whileAlone(with: setting, until: deadline) {
        filling.missing = 0
        let intent = try recordIntent(
          setting, for: filling.change, of: holder, until: deadline, &outcome
        ) { ledger in
          if let holder, case .hugepagePool(let pool) = setting {
            try renewClaim(on: pool, of: holder, &filling, in: &ledger)
          }
          return filling.growth
        }
        guard let intent else { return false }
        let result = writeVerified(intent.to, to: setting, until: deadline)
        (filling.failure, filling.reason) = try recordResult(
          setting, intent, result, for: filling.change, of: holder, until: deadline)
        filling.note(intent, result)
        return filling.missing > 0
      }
    } catch let error as HostError {
      filling.failure = "\(error)"
      try record(verdict: "\(error)", on: setting)
      return false
    }
  }

  /// Makes a start's claim what it lacks by now: between its plan and this attempt others came and
  /// went, with pages of their own and of nobody's.
  private func renewClaim(
    on pool: HugepagePool, of holder: HolderID, _ filling: inout Filling, in ledger: inout Ledger
  ) throws {
    guard var change = filling.change, case .more(_, let need) = change.claim,
      case .own = filling.growth, let index = ledger.index(of: change.setting)
    else { return }
    var others = ledger
    others.entries[index].claims.removeAll(of: holder)
    guard let needed = try pools.need(pool, need, others) else { return }
    change.claim = needed.claim
    filling.change = change
    filling.growth = .own(needed.claim.pages + needed.others)
    ledger.entries[index].replaceClaim(of: holder, by: needed.claim)
  }

  /// What a pool that is to shrink is brought to, where domains on their way in would lack pages then,
  /// which strangers have taken out of it meanwhile; nil where none would.
  ///
  /// What is kept for them is theirs from now on, and goes back with them.
  func keep(
    at index: Int, in ledger: inout Ledger, _ value: Value?, _ wanted: Value
  ) throws -> Value? {
    guard case .hugepagePool(let pool) = ledger.entries[index].setting,
      let standing = value?.count, let aim = wanted.count, aim < standing,
      let last = ledger.entries[index].claims.last(where: { held in
        ledger.holder(held.holder).map { !$0.isIn } ?? false
      }), case .more(let count, let need) = last.claim
    else { return nil }
    let kept = try min(standing - aim, pools.lack(pool, ledger))
    guard kept > 0 else { return nil }
    ledger.entries[index].replaceClaim(of: last.holder, by: .more(count + kept, need: need))
    return .count(aim + kept)
  }

  /// Records why nothing could be tried.
  private func record(verdict: String, on setting: Setting) throws {
    try store.withLock(.ledger, until: host.now.advanced(byMilliseconds: 5_000)) {
      var ledger = try store.load()
      guard let index = ledger.index(of: setting) else { return }
      ledger.entries[index].verdict = verdict
      try store.save(ledger)
    }
  }

  private func announceEnd(_ setting: Setting, _ filling: Filling) {
    guard let from = filling.from, let to = filling.to, from != to else { return }
    observe(.changed(setting, from: .count(from), to: .count(to), reason: filling.reason))
  }

  private func announce(_ setting: Setting, _ filling: Filling) {
    guard case .hugepagePool(let pool) = setting else { return }
    observe(.growing(pool, got: filling.got, wanted: filling.got + filling.missing))
  }

  /// Makes the holder's claim what the host granted.
  ///
  /// Where others have left meanwhile, what they obtained is there for the taking, and less is missing
  /// than what was aimed for and not obtained.
  ///
  /// - Throws: `Rejection.short` where the domain needs all of it.
  private func settleShortage(
    _ filling: Filling, _ change: Change, of holder: HolderID, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws {
    guard case .more(_, let need) = change.claim,
      case .hugepagePool(let pool) = change.setting, filling.missing > 0
    else { return }
    let missing = try store.withLock(.ledger, until: max(deadline, host.now)) {
      var ledger = try store.load()
      guard let index = ledger.index(of: change.setting) else { return 0 }
      let missing = min(filling.missing, ledger.entries[index].missingShare)
      guard missing > 0, !change.isRequired else { return missing }
      ledger.entries[index].reduceClaim(of: holder, by: missing)
      try store.save(ledger)
      return missing
    }
    guard missing > 0 else { return }
    let got = max(0, need - missing)
    guard change.isRequired else {
      outcome.warnings.append("\(change.setting): got \(got) of \(need)")
      return
    }
    throw Rejection.short(
      Shortage(
        pool: pool, need: need, got: got,
        milliseconds: host.now.milliseconds(from: filling.began), on: pools.memory()))
  }
}

/// How far a pool has been brought.
private struct Filling {
  var growth: PoolGrowth
  /// What is claimed of the pool for the domain that it is filled for, counted anew by each attempt.
  var change: Change?
  var remedies: [Step]
  var began: Deadline
  /// The pages that all attempts have brought.
  var got = 0
  /// The pages that the last one was to bring and did not.
  var missing = 0
  var failure: String?
  /// What stood there before the first attempt, and after the last.
  private(set) var from: Int?
  private(set) var to: Int?
  var reason: String?
  private var isFirst = true

  init(growth: PoolGrowth, change: Change?, began: Deadline) {
    self.growth = growth
    self.change = change
    remedies = change?.remedies ?? []
    self.began = began
  }

  /// Notes what an attempt brought; the remedy before one that brought nothing is used up.
  mutating func note(_ intent: Intent, _ result: WriteResult) {
    missing = intent.missing(after: result)
    let gain = intent.gain(after: result)
    if gain == 0, !isFirst { remedies.removeFirst() }
    isFirst = false
    from = from ?? intent.from.count
    to = result.count ?? to
    got += gain
    if case .own(let count) = growth { growth = .own(max(0, count - gain)) }
  }
}

/// Whose missing pages a pool is given when it is settled.
///
/// Each start obtains its own, with remedies and a verdict of its own: what another one has not tried
/// to get yet is nobody else's to get, to wait for, or to be told of as missing.
enum PoolGrowth {
  /// That many.
  case own(Int)
  /// Those of all domains but the ones on their way in.
  case settled
  /// Those of all, since a hypervisor has handled the pool.
  case all

  init(of setting: Setting, for change: Change?, after events: [PoolEvent]) {
    if case .more(let count, _)? = change?.claim {
      self = .own(count)
    } else {
      self = events.contains { $0.concerns(setting) } ? .all : .settled
    }
  }
}

extension Ledger {
  /// The write that brings a setting to what is wanted of it; nil where all that is missing is for
  /// others to obtain.
  func intent(
    from value: Value, to wanted: Value, at index: Int, _ growth: PoolGrowth
  ) -> Intent? {
    let entry = entries[index]
    guard entry.setting.isShared, let standing = value.count, let aim = wanted.count,
      aim > standing
    else { return value == wanted ? nil : Intent(from: value, to: wanted) }
    let most = min(aim - standing, most(of: entry, growth))
    return most > 0 ? Intent(from: value, to: .count(standing + most)) : nil
  }

  func most(of entry: Entry, _ growth: PoolGrowth) -> Int {
    switch growth {
    case .own(let count): return count
    case .all: return entry.missingShare
    case .settled:
      let arriving = entry.claims.filter { holder($0.holder)?.isArriving ?? false }
      return max(0, entry.missingShare - arriving.reduce(0) { $0 + $1.claim.pages })
    }
  }
}

extension Intent {
  /// How much less a write to a shared setting has obtained than it was to.
  func missing(after result: WriteResult) -> Int {
    guard let aim = to.count, let standing = result.count ?? from.count else { return 0 }
    return max(0, aim - standing)
  }

  /// How much more than before stands there after a write.
  fileprivate func gain(after result: WriteResult) -> Int {
    guard let before = from.count, let standing = result.count else { return 0 }
    return max(0, standing - before)
  }
}
