import HostModel
import Ledger

/// A host that outlives the processes that work on it: settings with the kernel's manners, and a
/// ledger file.
///
/// Every read, write and save costs the running process one step, and a write that takes several
/// system calls one for each; when its budget is spent the process is dead, and nothing that it
/// does any more has an effect. What else can go wrong has a file of its own: refusals in
/// `World+Refusals.swift`, the kernel's own mind in `World+Manners.swift`, what comes and goes in
/// `World+Life.swift`.
final class World {
  var values: [Setting: Value]
  var saved = Ledger()
  /// Steps that the running process has left; nil for as many as it likes.
  var budget: Int?
  var steps = 0
  /// Settings whose writes fail.
  var refusals: [Setting: Refusal] = [:]
  /// Settings whose writes never end: given up at the deadline, with nothing changed.
  var hanging: Set<Setting> = []
  /// Settings that cannot be read.
  var unreadable: [Setting: Refusal] = [:]
  /// The most that a pool can hold.
  var limits: [Setting: Int] = [:]
  /// What a remedy adds to those limits.
  var remedyGain = 0
  var remediesUsed: [Step] = []
  /// What no more than shows of what tasks are given.
  var confinements: [Setting: CPUList] = [:]
  /// The CPUs of the machine that are not offline.
  var online = Sample.everyCPU
  var hasSleptBefore = false
  /// What settings get that are made anew.
  var initialValues: [Setting: Value] = [:]
  /// Whether places that answer late do so only when `lookAgain` is called.
  var isSlowToAnswer = false
  /// What such places have been told last.
  var told: [Setting: Value] = [:]
  /// What the kernel makes of a value that it does not take as it is.
  var normalizations: [Setting: (Value) -> Value] = [:]
  /// Each change of the host, in its order.
  var writes: [(setting: Setting, value: Value)] = []
  /// The steps that changed the host or the ledger.
  var effects: [Int] = []
  /// Set when a write went to a setting whose original, or that it was coming, was not on record.
  var wroteUnrecorded: [Setting] = []
  /// Set when a write was made under another lock than the setting's own.
  var wroteUnlocked: [Setting] = []
  var locked: Set<LedgerLock> = []
  /// Which domains are found to be gone when another one enters.
  var isGone: (Holder) -> Bool = { _ in false }
  /// How often the ledger's lock is not to be had.
  var refusedLocks = 0
  /// What another process does while this one is in the middle of a slow write.
  var meanwhile: ((World) -> Void)?
  var clock: UInt64 = 1
  /// The number of the process that works now, and of all that live; the start time of each is its
  /// number.
  var running = 1
  var alive: Set<Int> = [1]
  /// Settings whose writes never end and leave a process behind, by its number.
  var leavesBehind: [Setting: Int] = [:]

  init(_ values: [Setting: Value]) { self.values = values }

  var isDead: Bool { budget == 0 }

  /// Starts a new process that may do that many steps.
  func revive(budget: Int? = nil) {
    self.budget = budget
    locked = []
    alive.remove(running)
    running += 1
    alive.insert(running)
  }

  /// Takes one step; whether the process is still alive to do it.
  private func step() -> Bool {
    steps += 1
    if let left = budget {
      guard left > 0 else { return false }
      budget = left - 1
      return left > 1
    }
    return true
  }

  private static let death = HostError(.call, "process", diagnosis: "dead")
}

extension World: SettingHost {
  var now: Deadline {
    clock += 1
    return Deadline(nanoseconds: clock)
  }

  func read(_ setting: Setting, until deadline: Deadline) throws(HostError) -> Value? {
    guard step() else { throw Self.death }
    if let refusal = unreadable.take(setting) {
      throw HostError(.read, "\(setting)", errno: refusal.errno)
    }
    return values[setting]
  }

  func worker() throws(HostError) -> ProcessIdentity? { try process(numbered: running) }

  func process(numbered pid: Int) throws(HostError) -> ProcessIdentity? {
    alive.contains(pid) ? ProcessIdentity(pid: pid, startTime: UInt64(pid)) : nil
  }

  func whileAlone<Result>(
    with setting: Setting, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result { try body() }

  func initialValue(of setting: Setting) throws(HostError) -> Value? { initialValues[setting] }

  func onlineCPUs() throws(HostError) -> CPUList { online }

  func hasSlept() throws(HostError) -> Bool { hasSleptBefore }

  func confinement(of setting: Setting) throws(HostError) -> CPUList? { confinements[setting] }

  func members(of collective: Collective) throws(HostError) -> [Setting] {
    guard step() else { throw Self.death }
    return values.keys.filter { $0.collective == collective }.sorted { "\($0)" < "\($1)" }
  }

  func write(_ value: Value, to setting: Setting, until deadline: Deadline) throws(HostError) {
    guard step() else { throw Self.death }
    audit(value, to: setting)
    guard let standing = values[setting] else {
      throw HostError(.write, "\(setting)", errno: 2)
    }
    if hanging.contains(setting) {
      clock = max(clock, deadline.nanoseconds)
      throw HostError(.write, "\(setting)", errno: 110)
    }
    if let child = leavesBehind[setting] {
      alive.insert(child)
      var error = HostError(.write, "\(setting)", errno: 110)
      error.leftBehind = child
      throw error
    }
    let stages = stages(
      of: granted(value, to: setting, over: standing), to: setting, over: standing)
    let refusal = refusals.take(setting)
    for (number, stage) in stages.prefix(refusal?.stages ?? stages.count).enumerated() {
      if number > 0 { guard step() else { throw Self.death } }
      change(setting, to: stage)
      if setting.isSlow, let visit = meanwhile {
        meanwhile = nil
        visit(self)
      }
    }
    if let refusal { throw HostError(.write, "\(setting)", errno: refusal.errno) }
  }

  func perform(_ step: Step, until deadline: Deadline) throws(HostError) {
    guard self.step() else { throw Self.death }
    if case .once(let setting, let value) = step { return try once(setting, value) }
    remediesUsed.append(step)
    for setting in limits.keys { limits[setting, default: 0] += remedyGain }
  }

  /// A step that changes a setting, which the ledger knows of beforehand by a claim.
  private func once(_ setting: Setting, _ value: Value) throws(HostError) {
    let entry = saved.entries.first { $0.setting == setting }
    if entry?.written != value { wroteUnrecorded.append(setting) }
    if !locked.contains(.setting(setting)) { wroteUnlocked.append(setting) }
    if let refusal = refusals.take(setting) {
      throw HostError(.write, "\(setting)", errno: refusal.errno)
    }
    if values[setting] != nil, values[setting] != value { change(setting, to: value) }
  }

  /// Notes a write that the ledger does not know of, or that the locks do not cover.
  private func audit(_ value: Value, to setting: Setting) {
    let entry = saved.entries.first { $0.setting == setting }
    if entry?.intent?.to != value { wroteUnrecorded.append(setting) }
    let isCovered =
      setting.isSlow
      ? locked.contains(.setting(setting)) && !locked.contains(.ledger) : locked.contains(.ledger)
    if !isCovered { wroteUnlocked.append(setting) }
  }
}

extension World: LedgerStore {
  func load() throws(LedgerError) -> Ledger {
    guard step() else { throw .host(Self.death) }
    return saved
  }

  func save(_ ledger: Ledger) throws(LedgerError) {
    guard step() else { throw .host(Self.death) }
    saved = ledger
    effects.append(steps)
  }

  func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    guard !isDead else { throw LedgerError.host(Self.death) }
    if lock == .ledger, refusedLocks > 0 {
      refusedLocks -= 1
      throw LedgerError.locked(path: "\(lock)", heldBy: "somebody")
    }
    guard !locked.contains(lock) else {
      throw LedgerError.locked(path: "\(lock)", heldBy: "another hook")
    }
    locked.insert(lock)
    defer { locked.remove(lock) }
    return try body()
  }
}

extension World {
  static let forever = Deadline(nanoseconds: .max)

  var engine: Engine { Engine(host: self, store: self) }

  @discardableResult
  func enter(_ visitor: Visitor, until deadline: Deadline = World.forever) throws -> Outcome {
    try apply(visitor.changes, visitor.steps, for: visitor, until: deadline)
  }

  /// The phase after QEMU has been started.
  @discardableResult
  func settleIn(_ visitor: Visitor) throws -> Outcome {
    try apply(visitor.changesOnceRunning, [], for: visitor, until: Self.forever)
  }

  private func apply(
    _ changes: [Change], _ steps: [PlannedStep], for visitor: Visitor, until deadline: Deadline
  ) throws -> Outcome {
    var plan = Plan(phase: .prepare)
    plan.steps = steps
    plan.changes = changes
    return try engine.apply(for: visitor.holder, until: deadline, isGone: isGone) { _, _ in plan }
  }

  @discardableResult
  func leave(_ visitor: Visitor, until deadline: Deadline = World.forever) throws -> Outcome {
    try engine.release(until: deadline) { $0.id == visitor.holder.id }
  }

  @discardableResult
  func recover(dropping isGone: (Holder) -> Bool = { _ in false }) throws -> Outcome {
    try engine.reconcile(until: Self.forever, dropping: isGone)
  }
}
