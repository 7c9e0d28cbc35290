internal import HostModel

extension Engine {
  /// Settles the settings that are quickly written, under the ledger's lock.
  ///
  /// With a holder, only what it claims and what is left over from others; without one,
  /// everything. What could not be written is returned, and stays in the ledger with a verdict.
  func settleQuick(
    _ ledger: inout Ledger, for holder: HolderID?, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws -> [Setting] {
    collectMembers(&ledger, until: deadline, &outcome)
    let order = ledger.settlingOrder(for: holder) { !$0.isSlow }
    let leaders = order.filter { !ledger.entries[$0].setting.followsCpuset }
    var followers = order.filter { ledger.entries[$0].setting.followsCpuset }
    var failed = try settle(leaders, before: &followers, in: &ledger, until: deadline, &outcome)
    var rest: [Int] = []
    failed += try settle(
      ledger.withoutPostponed(followers), before: &rest, in: &ledger, until: deadline, &outcome)
    try store.save(ledger)
    return failed
  }

  /// Settles the entries at some places.
  ///
  /// Those that have done their duty are taken out, and `later` is told where its entries are then.
  private func settle(
    _ order: [Int], before later: inout [Int], in ledger: inout Ledger,
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws -> [Setting] {
    var drifts = Tally()
    let writes = order.filter { stage($0, in: &ledger, until: deadline, &drifts, &outcome) }
    outcome.drifts += drifts.sentences

    // The originals and the intents are on record before the first write: whatever happens from
    // here on, the next process finds out from the ledger alone what this one did.
    if !writes.isEmpty { try store.save(ledger) }
    var failed: [Setting] = []
    for index in writes where !write(index, in: &ledger, until: deadline, &outcome) {
      failed.append(ledger.entries[index].setting)
    }
    ledger.removeDone(among: order, before: &later)
    return failed
  }

  /// Decides about one entry and notes its intent; whether it is to be written.
  private func stage(
    _ index: Int, in ledger: inout Ledger, until deadline: Deadline, _ drifts: inout Tally,
    _ outcome: inout Outcome
  ) -> Bool {
    let setting = ledger.entries[index].setting
    if let sentence = ledger.blockade(of: index, on: host) {
      outcome.failures.append(sentence)
      return false
    }
    do {
      let reading = try ledger.entries[index].reading(host.read(setting, until: deadline), on: host)
      let value = reading.value
      switch try ledger.entries[index].decision(
        reading: value, isKernelChange: reading.isKernelChange)
      {
      case .gone:
        ledger.entries[index].forget()
      case .settled:
        ledger.entries[index].settle(at: value)
      case .awaited: break
      case .foreign(let foreign):
        drifts.add(ledger.entries[index].markForeign(foreign), as: setting.driftSummary)
      case .write(let wanted):
        if let value { ledger.entries[index].begin(Intent(from: value, to: wanted)) }
        return true
      }
    } catch {
      ledger.entries[index].markUnreadable(because: error, on: host)
      outcome.failures.append("\(setting): \(error)")
    }
    return false
  }

  /// Writes what was staged and reads it back; whether it holds now.
  private func write(
    _ index: Int, in ledger: inout Ledger, until deadline: Deadline, _ outcome: inout Outcome
  ) -> Bool {
    guard let intent = ledger.entries[index].intent else { return true }
    let setting = ledger.entries[index].setting
    let result = writeVerified(intent.to, to: setting, until: deadline)
    ledger.entries[index].finish(result, aimingAt: intent.to)
    guard let failure = result.failure else {
      let reason = ledger.entries[index].lastReason
      observe(.changed(setting, from: intent.from, to: intent.to, reason: reason))
      return true
    }
    outcome.failures.append(failure)
    return false
  }

  /// Writes a value and reads it back.
  ///
  /// A write that failed and left the wanted value counts as done: kernels refuse some writes
  /// that would change nothing.
  func writeVerified(
    _ value: Value, to setting: Setting, until deadline: Deadline
  ) -> WriteResult {
    var failure: String?
    do throws(HostError) {
      try host.write(value, to: setting, until: deadline)
    } catch {
      failure = "\(error)"
      // To read it back would be to wait behind the write.
      if let process = host.processLeftBehind(by: error) { return .leftBehind("\(error)", process) }
    }
    do throws(HostError) {
      guard let standing = try host.read(setting, until: deadline) else { return .gone }
      if standing == value { return .stands(standing) }
      if setting.followsCpuset, let confinement = try host.confinement(of: setting),
        value.shows(as: standing, within: confinement)
      {
        return .stands(value)
      }
      if setting.hasStaleReads, failure == nil { return .awaited(standing) }
      return .failed(
        failure ?? "\(setting) reads “\(standing)” after “\(value)” was written", standing)
    } catch {
      if let process = host.processLeftBehind(by: error) {
        return .leftBehind(failure ?? "\(error)", process)
      }
      return .failed(failure ?? "\(error)", nil)
    }
  }

  /// Takes back the claims of changes that failed and that the domain can do without.
  ///
  /// - Throws: `Rejection` where one of them is required.
  func dropFailedClaims(
    _ failed: [Setting], of holder: HolderID, in plan: Plan, _ ledger: inout Ledger,
    until deadline: Deadline, _ outcome: inout Outcome
  ) throws {
    if failed.isEmpty { return }
    let failed = Set(failed)
    let changes = plan.changes.filter { failed.contains($0.setting) }
    guard !changes.isEmpty else { return }
    let refusals = changes.filter(\.isRequired).map { change in
      Refusal(ledger.verdict(on: change.setting) ?? "\(change.setting) could not be changed")
    }
    guard refusals.isEmpty else { throw Rejection.refused(refusals) }
    var tally = Tally()
    let positions = ledger.positions
    for change in changes {
      guard let index = positions[change.setting] else { continue }
      let verdict = ledger.entries[index].verdict ?? "\(change.setting) could not be changed"
      outcome.failures.removeAll { $0 == verdict }
      tally.add(verdict, as: change.countedAs)
      ledger.entries[index].claims.removeAll(of: holder)
    }
    outcome.warnings += tally.sentences
    _ = try settleQuick(&ledger, for: holder, until: deadline, &outcome)
  }
}

/// What a domain does without: a sentence each, or one for all of a kind.
private struct Tally {
  private var lines: [(kind: String?, count: Int, first: String)] = []

  mutating func add(_ verdict: String, as kind: String?) {
    if let kind, let index = lines.firstIndex(where: { $0.kind == kind }) {
      lines[index].count += 1
    } else {
      lines.append((kind, 1, verdict))
    }
  }

  var sentences: [String] {
    lines.map { line in
      guard let kind = line.kind, line.count > 1 else { return line.first }
      return "\(kind): \(line.count), the first: \(line.first)"
    }
  }
}

/// What became of a verified write.
enum WriteResult {
  case stands(Value)
  /// The place has taken the value and tells this one for some seconds more.
  case awaited(Value)
  /// The place vanished meanwhile.
  case gone
  /// Why it failed, and what stands there, if that could be read.
  case failed(String, Value?)
  /// The process that waits in the kernel, which may still do it.
  case leftBehind(String, ProcessIdentity)

  var isLeftBehind: Bool { if case .leftBehind = self { true } else { false } }

  var failure: String? {
    switch self {
    case .failed(let sentence, _), .leftBehind(let sentence, _): sentence
    case .stands, .awaited, .gone: nil
    }
  }
}

extension Entry {
  /// Notes that the setting holds what it is to hold.
  mutating func settle(at value: Value?) {
    let isOwn = written != nil || intent != nil
    let isWritten = isOwn && !setting.isShared && !hasOnlyPassiveClaims
    change { fields in
      if isWritten { fields.written = value }
      fields.intent = nil
      fields.verdict = nil
      fields.foreign = nil
    }
  }

  /// Notes what is about to be written, to a setting that is nobody else's any more.
  mutating func begin(_ intent: Intent) {
    self.intent = intent
    foreign = nil
  }

  /// Notes that nobody knows what stands there now.
  mutating func markUnreadable(because error: any Error, on host: any SettingHost) {
    verdict = "\(error)"
    foreign = nil
    leftBehind = (error as? HostError).flatMap(host.processLeftBehind)
  }

  /// Notes that the setting is somebody else's now; the sentence to report.
  mutating func markForeign(_ value: Value) -> String {
    foreign = value
    intent = nil
    let own = written ?? original
    return "\(setting) reads “\(value)”, which Berth did not write (it left “\(own)”)"
  }

  /// Notes that the place is gone: nothing is left to be given back, nor a share of what may come
  /// back there one day.
  mutating func forget() {
    claims = []
    written = nil
    intent = nil
    verdict = nil
    foreign = nil
    leftBehind = nil
  }

  /// What a hypervisor puts there for somebody who claimed it while a write was under way, such as one
  /// that gives it back; nil where nobody did.
  private var lentValue: Value? {
    for held in claims.reversed() {
      if case .lent(let value) = held.claim { return value }
    }
    return nil
  }

  mutating func finish(_ result: WriteResult, aimingAt wanted: Value) {
    switch result {
    case .stands(let value):
      written = lentValue ?? value
      verdict = nil
      foreign = nil
      intent = nil
    case .awaited(let standing):
      written = wanted
      intent = Intent(from: standing, to: wanted)
      verdict = nil
      foreign = nil
    case .gone:
      forget()
    case .failed(let sentence, let standing):
      verdict = sentence
      // What the kernel made of the write is Berth's doing, not a foreign change.
      if let standing {
        written = lentValue ?? standing
        intent = nil
      }
    case .leftBehind(let sentence, let process):
      // The intent stays: whichever of its two values is found one day is Berth's doing.
      verdict = sentence
      leftBehind = process
    }
  }

  /// Whether the entry has done its duty: nobody claims the setting, and it is as it was or
  /// somebody else's.
  var isDone: Bool {
    guard claims.isEmpty, leftBehind == nil else { return false }
    if foreign != nil { return true }
    return intent == nil && verdict == nil
      && (setting.isShared ? share == 0 : written == nil || written == original)
  }
}

/// Whether what was last written is no longer what the claims come to.
///
/// Neighbours in the ledger with the same claims mostly had the same original, too: then they come to
/// the same.
struct OutdatedQuestion {
  private var last: (claims: Claims, original: Value, wanted: Value?)?

  mutating func answer(for entry: Entry) -> Bool {
    guard entry.foreign == nil, !entry.hasOnlyPassiveClaims, let wanted = wanted(of: entry) else {
      return false
    }
    return wanted != entry.written ?? entry.original
  }

  /// Nil where the claims contradict each other.
  private mutating func wanted(of entry: Entry) -> Value? {
    if let last, last.claims.identity == entry.claims.identity, last.original == entry.original {
      return last.wanted
    }
    let wanted = try? entry.resolved()
    last = (entry.claims, entry.original, wanted)
    return wanted
  }
}

extension Ledger {
  /// The places of the entries to settle: first those to be given back, the latest first, then the
  /// others in the order of their first claim.
  ///
  /// With a holder, only what it claims, what nobody claims any more, and what an earlier process
  /// left unfinished, another VM that is gone has made due, or a hypervisor has handled.
  func settlingOrder(
    for holder: HolderID?, after events: [PoolEvent] = [], of isOfConcern: (Setting) -> Bool
  ) -> [Int] {
    var question = ClaimQuestion()
    func isHeld(_ entry: Entry) -> Bool {
      guard let holder else { return true }
      return question.answer(for: entry.claims) { $0.contains(holder) }
    }
    var outdating = OutdatedQuestion()
    let isMovingTasks =
      holder != nil && entries.contains { isHeld($0) && $0.setting.movesTasks }
    let concerned = entries.indices.filter { index in
      let entry = entries[index]
      let isDue = entry.claims.isEmpty || entry.hasIntent || isHeld(entry)
      let isOutdated = !isDue && outdating.answer(for: entry)
      // Of most entries nothing more has to be known.
      guard isDue || isOutdated || isMovingTasks || !events.isEmpty else { return false }
      let setting = entry.setting
      if case .every = setting { return false }
      guard isOfConcern(setting) else { return false }
      // Another VM's threads may be among the tasks that are moved.
      return isDue || isOutdated && !setting.isSlow || isMovingTasks && setting.followsCpuset
        || events.contains { $0.concerns(setting) }
    }
    return concerned.filter { entries[$0].claims.isEmpty }.reversed()
      + concerned.filter { !entries[$0].claims.isEmpty }
  }

  /// The slow settings to settle, each after its leader.
  ///
  /// What others are at work on is theirs, but for pools, of which each takes its own.
  func slowSettings(
    toSettleFor holder: HolderID?, after events: [PoolEvent] = [], besides busy: Set<HolderID>
  ) -> [Setting] {
    var order: [Setting] = []
    for index in settlingOrder(for: holder, after: events, of: \.isSlow) {
      let entry = entries[index]
      if !entry.isOthers(than: holder, isBusy: busy.contains) { order.append(entry.setting) }
    }
    return order.filter { $0.leader == nil } + order.filter { $0.leader != nil }
  }

  /// The followers that can be settled now.
  ///
  /// One that is to be given back waits for what it follows: put back before the confinement of its
  /// unit is gone, it would be changed again by the next attempt at that, with nobody to know.
  fileprivate mutating func withoutPostponed(_ followers: [Int]) -> [Int] {
    let leader = entries.first { $0.setting.movesTasks && $0.claims.isEmpty }?.setting
    guard let leader else { return followers }
    return followers.filter { index in
      guard entries[index].claims.isEmpty else { return true }
      entries[index].verdict = "\(entries[index].setting) is put back after \(leader)"
      return false
    }
  }

  /// Takes out the entries of an order that have done their duty.
  fileprivate mutating func removeDone(among order: [Int], before later: inout [Int]) {
    let done = order.filter { entries[$0].isDone }
    if done.isEmpty { return }
    let isDone = Set(done)
    var places: [Int] = []
    var left: [Entry] = []
    for index in entries.indices {
      places.append(left.count)
      if !isDone.contains(index) { left.append(entries[index]) }
    }
    entries = left
    later = later.map { places[$0] }
  }

  func verdict(on setting: Setting) -> String? {
    index(of: setting).flatMap { entries[$0].verdict }
  }
}
