import HostModel
import Ledger
import Testing

/// What is made before the rest of a plan: cycles, and what the rest cannot be planned without.
struct PreliminariesTests {
  private static let count = Crowd.functions
  private static let slot = PCISlot("0000:41:00").map(Setting.slot) ?? Sample.card
  private static let present = Value.functions(
    ["0000:41:00.0", "0000:41:00.1"].compactMap { PCIAddress($0) }.map { address in
      SlotFunction(
        address: address, binding: DriverBinding(driver: "igb", override: "igb"),
        attributes: [SlotFunction.Attribute(name: "d3cold_allowed", text: "0")])
    })

  private var host: [Setting: Value] {
    var host = Sample.host
    host[Self.slot] = Self.present
    host[Self.count] = .count(0)
    return host
  }

  private func plan(_ changes: [Change]) -> Plan {
    var plan = Plan(phase: .prepare)
    plan.cycles = [Change(Self.slot, .alone(.functions([])), because: "anew")]
    plan.changes = changes
    return plan
  }

  private let visitor = Visitor("alpha", [])

  private func enter(_ world: World, _ changes: [Change] = []) throws -> Outcome {
    try world.engine.apply(for: visitor.holder, until: World.forever) { _, _ in plan(changes) }
  }

  @Test func aCycleLeavesTheHostAsItWasAndNoClaim() throws {
    let world = World(host)
    let outcome = try enter(world)
    #expect(outcome == Outcome())
    #expect(world.values == host)
    #expect(world.writes.map(\.setting).allSatisfy { $0 == Self.slot } && world.writes.count == 4)
    #expect(world.saved.entries.isEmpty && world.saved.holders.count == 1)
    #expect(world.wroteUnlocked.isEmpty && world.wroteUnrecorded.isEmpty)
  }

  @Test func aProcessThatDiesInACycleIsMadeUpForByRecoveryAlone() throws {
    let world = World(host)
    let change = Change(Sample.governor, .exactly(.text("performance")), because: "speed")
    _ = try enter(world, [change])
    let last = world.steps
    for death in 1...last {
      let world = World(host)
      world.revive(budget: death)
      _ = try? enter(world, [change])
      world.revive()
      try world.recover { _ in true }
      #expect(world.values == host && world.saved == Ledger(), "died at step \(death)")
    }
  }

  @Test func aCycleThatCannotBeTakenBackStaysInTheLedger() throws {
    let world = World(host)
    world.meanwhile = { $0.refusals[Self.slot] = 5 }
    let outcome = try enter(world)
    #expect(outcome.failures.count == 1 && world.values[Self.slot] == .functions([]))
    world.refusals = [:]
    try world.recover()
    #expect(world.values == host)
  }

  @Test func nothingIsCycledOfWhichAnotherDomainHoldsAPart() throws {
    let world = World(host)
    let other = Visitor("other", [Change(Sample.card, .alone(Sample.vfio), because: "card")])
    try world.enter(other)
    let outcome = try enter(world)
    #expect(outcome.warnings.count == 1 && outcome.warnings[0].contains("other holds some of it"))
    #expect(world.writes.allSatisfy { $0.setting != Self.slot })
    try world.leave(other)
    try world.leave(visitor)
    #expect(world.values == host && world.saved == Ledger())
  }

  @Test func preliminariesStandBeforeTheRestIsPlanned() throws {
    let world = World(host)
    var rounds: [Value?] = []
    _ = try world.engine.apply(for: visitor.holder, until: World.forever) { _, _ in
      rounds.append(world.values[Self.count])
      var plan = Plan(phase: .prepare)
      plan.changes = [Change(Self.count, .atLeast(2), because: "two")]
      if rounds.count == 1 { plan.preliminaries = plan.changes }
      return plan
    }
    #expect(rounds == [.count(0), .count(2)])
    try world.leave(visitor)
    #expect(world.values == host && world.saved == Ledger())
  }

  // --- what cannot be changed while somebody uses it ---

  private func wanting(_ name: String, _ number: Int) -> Visitor {
    Visitor(name, [Change(Self.count, .atLeast(number), because: "functions", isRequired: true)])
  }

  @Test func theFirstDecidesHowManyThereAreAndTheLastGivesThemBack() throws {
    let world = World(host)
    let (four, two, six) = (wanting("four", 4), wanting("two", 2), wanting("six", 6))
    try world.enter(four)
    try world.enter(two)
    #expect(throws: Rejection.self) { try world.enter(six) }
    try world.leave(four)
    #expect(world.values[Self.count] == .count(4))
    try world.recover()
    #expect(world.values[Self.count] == .count(4))
    // What stands there serves whoever wants no more than that.
    try world.enter(four)
    try world.leave(two)
    try world.leave(four)
    #expect(world.values == host && world.saved == Ledger())
  }

  @Test func whatSomebodyElseMadeOfThemIsLeft() throws {
    let world = World(host)
    let two = wanting("two", 2)
    try world.enter(two)
    world.values[Self.count] = .count(7)
    let outcome = try world.leave(two)
    #expect(outcome.drifts.count == 1 && world.values[Self.count] == .count(7))
  }
}
