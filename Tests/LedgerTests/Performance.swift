import HostModel
import Ledger

/// A history while it is played, with what the host would be if Berth had never been there.
struct Performance {
  enum Stay { case out, prepared, running }

  /// How often what was tried was met.
  struct Tally {
    var histories = 0
    var calls = 0
    var crashes = 0
    var refusals = 0
    var rejections = 0
    var foreignChanges = 0
    var originalsPutBack = 0
    var hotplugs = 0
    var boots = 0
    var damages = 0
    var residues = 0
  }

  private let world = World(Crowd.host)
  /// The host as all others want it.
  private var expected = Crowd.host
  private var stays = Crowd.all.map { _ in Stay.out }
  private var strangers: Set<Setting> = []
  /// Settings that a foreign hand changed while they were held, and of which nobody was told yet.
  private var unreported: Set<Setting> = []
  /// What a foreign hand has put into settings that were held at that time: it stands for as long as
  /// they are.
  private var decisions: [Setting: Value] = [:]
  /// Those of them that are the original.
  private var isPutBack: Set<Setting> = []
  private(set) var tally = Tally()
  private(set) var findings: [String] = []

  /// Plays a history to its end and beyond, until nobody is in and nothing fails any more.
  init(of history: History) {
    tally.histories = 1
    for moment in history.moments where findings.isEmpty { play(moment) }
    if findings.isEmpty { end() }
    tally.residues = findings.isEmpty ? 0 : 1
  }

  private mutating func end() {
    relent()
    for number in Crowd.all.indices { leave(number) }
    call(dying: nil) { try $0.recover { _ in true } }
    for setting in Crowd.shared where world.values[setting] != expected[setting] {
      if setting == Sample.task, expected[setting] == nil { continue }
      findings.append(
        "\(setting) is \(String(describing: world.values[setting])),"
          + " not \(String(describing: expected[setting]))")
    }
    if world.saved != Ledger() { findings.append("the ledger keeps \(world.saved)") }
    for setting in unreported { findings.append("nobody heard of the change of \(setting)") }
    for stranger in strangers where world.values[stranger] != expected[stranger] {
      findings.append("\(stranger) was taken for another")
    }
  }

  private mutating func play(_ moment: Moment) {
    switch moment.happening {
    case .prepare(let number):
      if stays[number] == .out { stays[number] = .prepared }
      enter(number, with: Crowd.all[number].changes, dying: moment.death) { world, visitor in
        try world.enter(visitor)
      }
    case .started(let number):
      let visitor = Crowd.all[number]
      enter(number, with: visitor.changesOnceRunning, dying: moment.death) { world, visitor in
        try world.settleIn(visitor)
      }
    case .begin(let number):
      guard stays[number] != .running else { return }
      stays[number] = .running
      world.begin(Crowd.all[number])
    case .end(let number): leave(number)
    case .release(let number):
      call(dying: moment.death) { try $0.leave(Crowd.all[number]) }
    case .sweep:
      let isGone = goneNow
      call(dying: moment.death) { try $0.recover(dropping: isGone) }
    case .refuse(let setting, let refusal): world.refusals[setting] = refusal
    case .hide(let setting, let refusal): world.unreadable[setting] = refusal
    case .shortage(let limit): world.limits[Sample.pool] = limit
    case .clamp(let setting): world.normalizations[setting] = \.atMost100
    case .relent: relent()
    case .meddle(let setting, let number): meddle(setting, number)
    case .repent(let setting): repent(setting)
    case .putBack(let setting): putBack(setting)
    case .hotplug: hotplug()
    case .pages(let difference): changePages(by: difference)
    case .vanish(let setting): vanish(setting)
    case .comeBack(let setting): comeBack(setting)
    case .boot: boot()
    case .cut(let place): damage { $0.removeLast($0.count - place % $0.count) }
    case .flip(let place, let bit): damage { $0[place % $0.count] ^= 1 << UInt8(bit) }
    }
  }
}

extension Performance {
  /// Which holders neither run nor are on their way in.
  private var goneNow: (Holder) -> Bool {
    let present = zip(Crowd.all, stays).filter { $0.1 != .out }.map(\.0.holder.id)
    return { !present.contains($0.id) }
  }

  private mutating func leave(_ number: Int) {
    stays[number] = .out
    for (setting, _) in Crowd.all[number].belongings where world.values[setting] != nil {
      guard let stranger = setting.stranger else { continue }
      strangers.insert(stranger.setting)
      expected[stranger.setting] = stranger.value
    }
    world.end(Crowd.all[number])
  }

  private mutating func enter(
    _ number: Int, with changes: [Change], dying death: Int?,
    _ body: (World, Visitor) throws -> Outcome
  ) {
    let visitor = Crowd.all[number]
    world.isGone = goneNow
    let outcome = call(dying: death, isWhole: false) { try body($0, visitor) }
    guard outcome != nil else { return }
    let lacking = changes.filter(\.isRequired).filter { change in
      guard let index = world.saved.index(of: change.setting) else { return true }
      let entry = world.saved.entries[index]
      guard entry.claims.contains(where: { $0.holder == visitor.holder.id }),
        let standing = world.values[change.setting]
      else { return true }
      let target = entry.target(given: standing)
      if case .count(let due)? = target, case .count(let now) = standing {
        // What another start has claimed and not obtained yet is missing of that one alone.
        return due - now > entry.pages(ofOthersThan: visitor.holder.id)
      }
      return target != standing
    }
    for change in lacking {
      findings.append("\(visitor.holder.name) came in without \(change.setting)")
    }
  }

  /// Runs a process; what it has to say, unless it died or refused.
  ///
  /// `isWhole` tells whether it settles slow settings of other domains as well.
  @discardableResult
  private mutating func call(
    dying death: Int?, isWhole: Bool = true, _ body: (World) throws -> Outcome
  ) -> Outcome? {
    tally.calls += 1
    world.revive(budget: death)
    // What the kernel made of a write cannot be told from a foreign value by anybody but the
    // process that wrote it.
    let normalizations = world.normalizations
    if death != nil { world.normalizations = [:] }
    defer { world.normalizations = normalizations }
    var outcome: Outcome?
    do {
      outcome = try body(world)
    } catch let rejection as Rejection {
      hear(rejection)
    } catch let start as StartWithResidue {
      if let rejection = start.cause as? Rejection {
        hear(rejection)
      } else if !world.isDead {
        findings.append("a call fails with \(start.cause)")
      }
      hear(drifts: start.drifts)
    } catch {
      if !world.isDead { findings.append("a call fails with \(error)") }
    }
    let died = world.isDead
    world.revive()
    if died {
      tally.crashes += 1
      // Whether it could still say what it saw is nobody's promise.
      unreported.formIntersection(world.saved.entries.map(\.setting))
      outcome = nil
    }
    if let outcome { hear(outcome, isWhole: isWhole) }
    checkDecisions()
    if !world.wroteUnrecorded.isEmpty || !world.wroteUnlocked.isEmpty {
      findings.append(
        "unrecorded writes \(world.wroteUnrecorded), unlocked \(world.wroteUnlocked)")
    }
    return outcome
  }

  /// Berth fights nobody: what somebody has decided stands until the setting is nobody's any more, and
  /// somebody may claim it anew.
  private mutating func checkDecisions() {
    for setting in Crowd.shared {
      guard let value = decisions[setting] else { continue }
      if world.values[setting] != value {
        findings.append("\(setting) was to stay \(value), and is \(world.values[setting] as Any)")
      }
      let entry = world.saved.entries.first { $0.setting == setting }
      // Of an original that stands there when all have left there is nothing to say.
      if entry?.claims.isEmpty ?? true, value == expected[setting], isPutBack.contains(setting) {
        unreported.remove(setting)
      }
      // Nor does it bind who comes after them.
      let isOver = entry?.claims.isEmpty ?? true
      if entry == nil || isOver && isPutBack.contains(setting) { decisions[setting] = nil }
    }
  }

  private mutating func hear(_ rejection: Rejection) {
    tally.rejections += 1
    if case .refused(let refusals) = rejection { hear(drifts: refusals.map(\.description)) }
  }

  /// What is not as it is to be has a sentence in what the process says, or in the ledger.
  private mutating func hear(_ outcome: Outcome, isWhole: Bool) {
    tally.refusals += outcome.failures.count
    hear(drifts: outcome.drifts)
    let due = world.unsettled.filter { entry in
      isWhole
        || !entry.setting.isSlow && entry.foreign == nil
          && entry.written != entry.target(given: nil)
    }
    for entry in due where entry.verdict == nil {
      let place = "\(entry.setting)"
      if !outcome.failures.contains(where: { $0.contains(place) }) {
        findings.append("nobody heard that \(place) is not settled: \(entry)")
      }
    }
  }

  private mutating func hear(drifts: [String]) {
    unreported = unreported.filter { setting in !drifts.contains { $0.hasPrefix("\(setting) ") } }
  }
}

extension Performance {
  private func relent() {
    world.refusals = [:]
    world.unreadable = [:]
    world.limits = [:]
    world.normalizations = [:]
  }

  private mutating func meddle(_ setting: Setting, _ number: Int) {
    guard world.values[setting] != nil, let value = setting.meddled(number) else { return }
    let entry = world.saved.entries.first { $0.setting == setting }
    let isHeld = entry != nil
    // What Berth writes or may be writing there is nobody else's to be told from.
    if let entry, setting.isSwitch {
      if entry.intent != nil || entry.verdict != nil || entry.claims.isEmpty { return }
      if (entry.written ?? entry.original) == value { return }
    }
    // A choice that the kernel forgets by itself is nobody's to keep, and once others change what
    // makes the kernel forget, the tasks are theirs as well.
    if setting == Sample.task, isHeld { return }
    if setting == Sample.slice, isHeld { expected[Sample.task] = nil }
    tally.foreignChanges += 1
    world.values[setting] = value
    expected[setting] = value
    guard let index = world.saved.index(of: setting) else { return }
    decide(setting, at: index)
    if world.saved.entries[index].original == value {
      unreported.remove(setting)
    } else {
      unreported.insert(setting)
    }
  }

  /// Not where Berth's own write may have left the same.
  private mutating func putBack(_ setting: Setting) {
    guard !setting.isShared, !setting.isSwitch, !setting.kernelChanges.mayBeOriginal,
      world.values[setting] != nil, let index = world.saved.index(of: setting)
    else { return }
    let entry = world.saved.entries[index]
    guard !entry.claims.isEmpty, entry.intent == nil, let own = entry.written,
      own != entry.original, entry.target(given: nil) != entry.original,
      world.values[setting] != entry.original
    else { return }
    if setting == Sample.task { return }
    if setting == Sample.slice { expected[Sample.task] = nil }
    tally.originalsPutBack += 1
    world.values[setting] = entry.original
    expected[setting] = entry.original
    decide(setting, at: index)
    isPutBack.insert(setting)
    unreported.insert(setting)
  }

  /// A value is somebody's decision unless Berth may be about to write there, or has not yet.
  private mutating func decide(_ setting: Setting, at index: Int) {
    let entry = world.saved.entries[index]
    let isTold = entry.written != nil && entry.intent == nil && !entry.claims.isEmpty
    decisions[setting] = isTold ? world.values[setting] : nil
    isPutBack.remove(setting)
  }

  /// Partitions are invalid afterwards, and masks that had only CPUs that went are broken.
  private mutating func hotplug() {
    tally.hotplugs += 1
    world.hasSleptBefore = true
    for (setting, value) in world.values.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      switch (setting.kernelChanges, value) {
      case (.invalidation, .text("isolated")):
        world.values[setting] = .text("isolated invalid (No cpu available due to hotplug)")
      case (.brokenMask, .cpus(let mask)), (.initial, .cpus(let mask)):
        guard let greatest = mask.max(), !mask.contains(0), greatest < 3,
          let entry = world.saved.entries.first(where: { $0.setting == setting }),
          entry.written == value
        else { continue }
        world.values[setting] = .cpus(CPUList([0] + Array(greatest + 1...3)))
      default: continue
      }
    }
  }

  private mutating func repent(_ setting: Setting) {
    guard !setting.isShared, world.values[setting] != nil,
      let index = world.saved.index(of: setting), let own = world.saved.entries[index].written
    else { return }
    world.values[setting] = own
    expected[setting] = world.saved.entries[index].original
    unreported.remove(setting)
    decisions[setting] = nil
  }

  /// Changes the pool as its other users do.
  ///
  /// Not while a write of Berth's has an unknown end or a reset was not seen yet: whose pages are
  /// whose could not be told then by anybody.
  private mutating func changePages(by difference: Int?) {
    guard case .count(let standing)? = world.values[Sample.pool] else { return }
    var share = 0
    if let index = world.saved.index(of: Sample.pool) {
      let entry = world.saved.entries[index]
      guard entry.intent == nil else { return }
      if case .count(let count)? = entry.written { share = count }
    }
    guard share <= standing else { return }
    tally.foreignChanges += 1
    let others = difference.map { max(0, standing - share + $0) } ?? 0
    expected[Sample.pool] = .count(others)
    world.values[Sample.pool] = .count(difference == nil ? 0 : others + share)
  }

  private mutating func vanish(_ setting: Setting) {
    // A module that is not loaded is one, too, and a function's attribute goes with it only.
    guard ![Sample.slice, Crowd.module, Crowd.sleep].contains(setting),
      world.values.removeValue(forKey: setting) != nil
    else { return }
    expected[setting] = nil
    unreported.remove(setting)
    decisions[setting] = nil
    guard let stranger = setting.stranger else { return }
    strangers.insert(stranger.setting)
    world.values[stranger.setting] = stranger.value
    expected[stranger.setting] = stranger.value
  }

  /// A device comes back as it is after a boot; a thread never does.
  private mutating func comeBack(_ setting: Setting) {
    guard world.values[setting] == nil, setting.stranger == nil else { return }
    // A pool of a node that came back while nobody looked is like one that was reset.
    if setting.isShared, world.saved.index(of: setting) != nil { return }
    world.values[setting] = Crowd.host[setting]
    expected[setting] = Crowd.host[setting]
  }

  private mutating func boot() {
    tally.boots += 1
    world.boot(into: Crowd.host)
    relent()
    expected = Crowd.host
    stays = stays.map { _ in .out }
    strangers = []
    unreported = []
    decisions = [:]
  }

  /// No damaged text passes for a ledger, and no whole one for another.
  private mutating func damage(_ change: (inout [UInt8]) -> Void) {
    tally.damages += 1
    let text = LedgerText.encode(world.saved, boot: "b")
    var bytes = text
    change(&bytes)
    if (try? LedgerText.decode(text))?.ledger != world.saved {
      findings.append("a ledger does not come back from its text")
    }
    if (try? LedgerText.decode(bytes)) != nil {
      findings.append("a damaged text passes for a ledger")
    }
  }
}

extension Value {
  fileprivate var atMost100: Value {
    guard case .text(let text) = self, let number = Int(text) else { return self }
    return .text("\(min(number, 100))")
  }
}

extension Performance.Tally {
  static func += (sum: inout Self, other: Self) {
    sum.histories += other.histories
    sum.calls += other.calls
    sum.crashes += other.crashes
    sum.refusals += other.refusals
    sum.rejections += other.rejections
    sum.foreignChanges += other.foreignChanges
    sum.originalsPutBack += other.originalsPutBack
    sum.hotplugs += other.hotplugs
    sum.boots += other.boots
    sum.damages += other.damages
    sum.residues += other.residues
  }
}

extension Performance.Tally: CustomStringConvertible {
  var description: String {
    "\(histories) histories: \(calls) calls, \(crashes) crashes, \(refusals) refusals,"
      + " \(rejections) rejections, \(foreignChanges) foreign changes, \(originalsPutBack) originals put back,"
      + " \(hotplugs) hotplugs, \(boots) boots,"
      + " \(damages) damaged ledgers; \(residues) residues found"
  }
}

extension Entry {
  /// The pages that others claim of a pool.
  fileprivate func pages(ofOthersThan holder: HolderID) -> Int {
    var pages = 0
    for held in claims where held.holder != holder {
      if case .more(let count, _) = held.claim { pages += count }
    }
    return pages
  }
}
