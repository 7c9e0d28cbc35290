import HostModel
import Ledger
import Testing

/// What a preview says is what the engine does with the same plan.
struct PreviewTests {
  private func preview(_ visitor: Visitor, on world: World) -> [PreviewedChange] {
    var plan = Plan(phase: .prepare)
    plan.changes = visitor.changes
    return world.saved.preview(plan, for: visitor.holder.id, on: world, until: world.now)
  }

  @Test func objectsToWhatTheEngineRefusesInTheSameWords() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    let rival = Sample.visitor("rival", cpus: [3], pages: 1, withCard: true, interval: 5)
    let objections = preview(rival, on: world).compactMap(\.objection)
    #expect {
      try world.enter(rival)
    } throws: { error in
      guard case Rejection.refused(let refusals)? = error as? Rejection else { return false }
      return refusals.map(\.description) == objections
    }
  }

  @Test func namesWhoHoldsWhatForWhichReason() throws {
    let world = World(Sample.host)
    let first = Visitor(
      "first", [Change(Sample.governor, .exactly(.text("performance")), because: "speed")])
    try world.enter(first)
    let second = Visitor(
      "second", [Change(Sample.governor, .exactly(.text("schedutil")), because: "quiet")])
    let change = try #require(preview(second, on: world).first)
    #expect(change.objection?.contains("held by first") == true)
    let other = try #require(change.others.first)
    #expect(change.others.count == 1 && other.domain == "first" && other.reason == "speed")
    #expect(other.claim == .exactly(.text("performance")))
    #expect(change.to == nil)
  }

  @Test func objectsWhereTheHostWouldBeLeftNoCPU() throws {
    let world = World(Sample.host)
    try world.enter(Sample.visitor("a", cpus: [0, 1], pages: 0, interval: 1))
    let changes = preview(
      Visitor(
        "b", [Change(Sample.slice, .withoutCPUs([2, 3], all: Sample.everyCPU), because: "x")]),
      on: world)
    #expect(changes.first?.objection?.contains("would leave the host no CPU") == true)
  }

  @Test func foretellsEveryValueOfAWholeLife() throws {
    let world = World(Sample.host)
    try world.enter(Sample.beta)
    // The task follows the slice that it is in, and no claim on itself.
    let foretold = preview(Sample.alpha, on: world).filter { $0.change.claim != .keep }
    try world.enter(Sample.alpha)
    for change in foretold { #expect(change.to == world.values[change.change.setting]) }

    let returns = world.saved.previewRelease(
      of: Sample.alpha.holder.id, on: world, until: world.now
    )
    .filter { $0.setting != Sample.task }
    #expect(returns.map(\.setting).first == Sample.card, "the last that came goes first")
    for change in returns { #expect(change.from == world.values[change.setting]) }
    try world.leave(Sample.alpha)
    for change in returns { #expect(change.to == world.values[change.setting]) }
    for change in foretold { #expect(change.afterwards == world.values[change.change.setting]) }
  }

  @Test func leavesAloneWhatSomebodyElseChanged() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.values[Sample.latency] = .text("33")
    let returns = world.saved.previewRelease(
      of: Sample.alpha.holder.id, on: world, until: world.now)
    let latency = try #require(returns.first { $0.setting == Sample.latency })
    #expect(latency.isForeign && latency.to == .text("33"))
  }

  @Test func changesNothing() throws {
    let world = World(Sample.host)
    try world.enter(Sample.beta)
    let before = (values: world.values, ledger: world.saved)
    _ = preview(Sample.alpha, on: world)
    _ = world.saved.previewRelease(of: Sample.beta.holder.id, on: world, until: world.now)
    #expect(world.values == before.values && world.saved == before.ledger)
  }
}
