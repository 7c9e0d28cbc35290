import HostModel
import Ledger
import Testing

/// The invariants of the design, each by its name, on a host that dies at every step.
///
/// The histories are short enough to be tried completely; what a number of steps is reached is
/// counted, so that an empty loop would show.
struct InvariantTests {
  /// Plays a history of calls, each by a process of its own; `deaths` are the steps after which
  /// the process that is running then dies.
  private func play(
    _ history: [(World) throws -> Void], on world: World, deaths: [Int] = []
  ) {
    var deaths = deaths
    for call in history {
      let budget = deaths.first.map { $0 - world.steps }
      let isLast = budget.map { $0 <= 0 } ?? false
      world.revive(budget: isLast ? 1 : budget)
      try? call(world)
      if world.isDead {
        deaths.removeFirst()
        world.revive()
      }
    }
    world.revive()
  }

  private let overlap: [(World) throws -> Void] = [
    { try $0.enter(Sample.alpha) },
    { try $0.enter(Sample.beta) },
    { try $0.leave(Sample.alpha) },
    { try $0.leave(Sample.beta) },
  ]

  private func steps(of history: [(World) throws -> Void]) -> Int {
    let world = World(Sample.host)
    play(history, on: world)
    return world.steps
  }

  /// Whoever is still in leaves, as its hypervisor's calls or the guard see to.
  private func empty(_ world: World) throws {
    try world.leave(Sample.alpha)
    try world.leave(Sample.beta)
  }

  @Test func noSettingIsWrittenBeforeItsOriginalIsInTheLedger() throws {
    for death in 1...steps(of: overlap) {
      let world = World(Sample.host)
      play(overlap, on: world, deaths: [death])
      #expect(world.wroteUnrecorded.isEmpty)
    }
  }

  @Test func anOriginalIsRecordedOnceAndForgottenWhenTheHostReadsAsIt() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    try world.enter(Sample.beta)
    let entry = try #require(world.saved.entries.first { $0.setting == Sample.governor })
    #expect(entry.original == .text("powersave"))
    try world.leave(Sample.alpha)
    #expect(world.saved.index(of: Sample.governor) != nil)
    #expect(world.values[Sample.governor] == .text("performance"))
    world.refusals[Sample.governor] = 16
    try world.leave(Sample.beta)
    #expect(world.saved.entries.map(\.setting) == [Sample.governor])
    #expect(world.saved.entries.map(\.original) == [.text("powersave")])
    world.refusals = [:]
    try world.recover()
    #expect(world.saved == Ledger() && world.values == Sample.host)
  }

  @Test func aReleaseThatHasBegunIsFinishedByRecoveryAlone() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    let before = (values: world.values, ledger: world.saved)
    world.steps = 0
    try world.leave(Sample.alpha)
    for death in 1...world.steps {
      let dying = World(before.values)
      dying.saved = before.ledger
      dying.revive(budget: death)
      _ = try? dying.leave(Sample.alpha)
      dying.revive()
      let hadBegun = dying.saved.holders.isEmpty
      try dying.recover()
      if hadBegun { #expect(dying.values == Sample.host && dying.saved == Ledger()) }
      if !hadBegun { #expect(dying.values == before.values) }
    }
  }

  @Test func whenAllHoldersAreGoneTheHostReadsAsBeforeAtEveryCrashPoint() throws {
    let last = steps(of: overlap)
    #expect(last > 40)
    for death in 1...last {
      let world = World(Sample.host)
      play(overlap, on: world, deaths: [death])
      try empty(world)
      #expect(world.values == Sample.host, "died at step \(death)")
      #expect(world.saved == Ledger(), "died at step \(death)")
    }
  }

  @Test func whenAllHoldersAreGoneTheHostReadsAsBeforeAtEveryPairOfCrashPoints() throws {
    // Deaths between two changes of the host or the ledger leave the same behind.
    let world = World(Sample.host)
    play(overlap, on: world)
    var pairs = 0
    for first in [0] + world.effects {
      let once = World(Sample.host)
      play(overlap, on: once, deaths: [first + 1])
      for second in [first] + once.effects where second >= first {
        let world = World(Sample.host)
        play(overlap, on: world, deaths: [first + 1, second + 1])
        try empty(world)
        pairs += 1
        guard world.values == Sample.host, world.saved == Ledger() else {
          Issue.record("died after steps \(first) and \(second): \(world.saved)")
          return
        }
      }
    }
    #expect(pairs > 500)
  }

  @Test func whatAForeignHandChangedIsReportedAndLeftAlone() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.values[Sample.latency] = .text("33")
    let outcome = try world.leave(Sample.alpha)
    #expect(outcome.drifts.count == 1)
    #expect(world.values[Sample.latency] == .text("33"))
    #expect(world.saved == Ledger())
    var expected = Sample.host
    expected[Sample.latency] = .text("33")
    #expect(world.values == expected)
  }

  @Test func aPlanThatConflictsWithAHolderIsRefusedBeforeAnythingIsWritten() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    let before = (values: world.values, ledger: world.saved, writes: world.writes.count)
    let rival = Sample.visitor("rival", cpus: [3], pages: 1, withCard: true, interval: 5)
    #expect {
      try world.enter(rival)
    } throws: { error in
      guard case Rejection.refused(let refusals)? = error as? Rejection else { return false }
      return refusals.count == 1 && refusals[0].description.contains("held by alpha")
    }
    #expect(world.values == before.values)
    #expect(world.saved == before.ledger)
    #expect(world.writes.count == before.writes)
  }

  @Test func aPlanThatLeavesNoHousekeepingCPUIsRefusedBeforeAnythingIsWritten() throws {
    let world = World(Sample.host)
    let greedy = Visitor(
      "greedy",
      [
        Change(Sample.governor, .exactly(.text("performance")), because: "speed"),
        Change(
          Sample.slice, .withoutCPUs([0, 1, 2, 3], all: [0, 1, 2, 3]), because: "isolation",
          isRequired: true),
      ])
    #expect(throws: Rejection.self) { try world.enter(greedy) }
    #expect(world.values == Sample.host && world.saved == Ledger() && world.writes.isEmpty)
  }

  @Test func releasingGoesOnPastFailuresReportsAllAndKeepsWhatFailed() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.refusals = [Sample.irq: 5, Sample.card: 16]
    let outcome = try world.leave(Sample.alpha)
    #expect(outcome.failures.count == 2)
    #expect(Set(world.saved.entries.map(\.setting)) == [Sample.irq, Sample.card])
    #expect(world.saved.holders.isEmpty)
    #expect(world.values[Sample.governor] == .text("powersave"))
    #expect(world.values[Sample.pool] == .count(7))
    world.refusals = [:]
    try world.recover()
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test(arguments: [Sample.governor, Sample.irq, Sample.slice, Sample.latency])
  func everyPhaseEndsWithinItsBudgetAndSaysWhichWriteHung(setting: Setting) throws {
    let world = World(Sample.host)
    try checkBudget(of: world, hangingAt: setting) { try $0.enter(Sample.alpha, until: $1) }
    try world.leave(Sample.alpha)
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test(arguments: [Sample.governor, Sample.irq, Sample.slice, Sample.latency, Sample.card])
  func givingBackEndsWithinItsBudgetAndIsMadeUpFor(setting: Setting) throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    try checkBudget(of: world, hangingAt: setting) { try $0.leave(Sample.alpha, until: $1) }
    try world.recover()
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  private func checkBudget(
    of world: World, hangingAt setting: Setting, _ phase: (World, Deadline) throws -> Outcome
  ) throws {
    world.hanging = [setting]
    let deadline = world.now.advanced(byMilliseconds: 5000)
    let outcome = try phase(world, deadline)
    #expect(world.clock < deadline.advanced(byMilliseconds: 1).nanoseconds)
    let sentences = outcome.failures + outcome.warnings
    #expect(sentences.contains { $0.contains("\(setting)") && $0.contains("ETIMEDOUT") })
    world.hanging = []
  }

  @Test func aRefusedRequiredChangeGivesBackAllThatWasTaken() throws {
    for setting in [Sample.card, Sample.pool] {
      let world = World(Sample.host)
      world.refusals = [setting: 16]
      #expect(throws: Rejection.self) { try world.enter(Sample.alpha) }
      #expect(world.values == Sample.host)
      world.refusals = [:]
      try world.recover()
      #expect(world.saved == Ledger() && world.values == Sample.host)
    }
  }

  @Test func theSamePhaseTwiceChangesNothingMore() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    let once = world.values
    try world.enter(Sample.alpha)
    #expect(world.values == once)
    try world.leave(Sample.alpha)
    try world.leave(Sample.alpha)
    #expect(world.values == Sample.host && world.saved == Ledger())
  }
}
