import HostModel
import Ledger
import Testing

/// What a hypervisor does by itself to settings that Berth holds.
struct HypervisorTests {
  private func visitor(_ name: String, pages: Int) -> Visitor {
    Visitor(name, [Change(Sample.pool, .more(pages, need: pages), because: "memory")])
  }

  /// The phase after QEMU runs, when its hypervisor has handled the pools.
  private func settleIn(_ visitor: Visitor, after kind: PoolEvent.Kind, on world: World) throws {
    var plan = Plan(phase: .started)
    plan.poolEvents = [PoolEvent(kind, pageKiB: 2048)]
    _ = try world.engine.apply(for: visitor.holder, until: World.forever) { _, _ in plan }
  }

  @Test(arguments: [0, 7]) func aResetOfThePoolsIsMadeUpFor(boot: Int) throws {
    let world = World([Sample.pool: .count(boot)])
    let (a, b) = (visitor("a", pages: 16), visitor("b", pages: 5))
    try world.enter(a)
    try world.enter(b)
    world.values[Sample.pool] = .count(boot)
    try settleIn(b, after: .reset, on: world)
    #expect(world.values[Sample.pool] == .count(boot + 21))
    try world.leave(b)
    #expect(world.values[Sample.pool] == .count(boot + 16))
    try world.leave(a)
    #expect(world.values[Sample.pool] == .count(boot) && world.saved == Ledger())
  }

  @Test func pagesThatWereObtainedAfterTheResetAreNotObtainedTwice() throws {
    let world = World([Sample.pool: .count(0)])
    let (a, b) = (visitor("a", pages: 16), visitor("b", pages: 5))
    try world.enter(b)
    world.values[Sample.pool] = .count(0)
    try world.enter(a)
    for _ in 0..<2 {
      try settleIn(b, after: .reset, on: world)
      #expect(world.values[Sample.pool] == .count(21))
    }
    try world.leave(a)
    try world.leave(b)
    #expect(world.values[Sample.pool] == .count(0) && world.saved == Ledger())
  }

  @Test func pagesThatTheHypervisorKeepsAreNotGivenBack() throws {
    let world = World([Sample.pool: .count(2)])
    let a = visitor("a", pages: 16)
    try world.enter(a)
    try settleIn(a, after: .kept, on: world)
    try world.leave(a)
    #expect(world.values[Sample.pool] == .count(18) && world.saved == Ledger())
  }

  private let lent = Value.driver(DriverBinding(driver: "vfio-pci", override: nil))

  private var borrower: Visitor {
    Visitor("borrower", [Change(Sample.card, .lent(lent), because: "the hypervisor binds it")])
  }

  @Test func whatTheHypervisorTookAndLeftIsPutBack() throws {
    let world = World(Sample.host)
    try world.enter(borrower)
    #expect(world.writes.isEmpty)
    world.values[Sample.card] = lent
    try world.recover()
    #expect(world.values[Sample.card] == lent)
    try world.leave(borrower)
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test func whatTheHypervisorNeverTookIsLeftAlone() throws {
    let world = World(Sample.host)
    try world.enter(borrower)
    try world.leave(borrower)
    #expect(world.values == Sample.host && world.saved == Ledger() && world.writes.isEmpty)
  }

  @Test func aLoanThatCouldOnlyHalfBeGivenBackIsNotForgottenByTheNext() throws {
    let world = World(Sample.host)
    try world.enter(borrower)
    world.values[Sample.card] = lent
    world.refusals[Sample.card] = Refusal(errno: 22, times: 2, stages: 1)
    try world.leave(borrower)
    #expect(world.values[Sample.card] != Sample.host[Sample.card])
    world.refusals = [:]
    try world.enter(borrower)
    try world.leave(borrower)
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test func anOverrideThatNamesTheOriginalIsSomebodyElsesWhileTheDomainIsIn() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    let changed = Value.driver(DriverBinding(driver: "vfio-pci", override: "igb"))
    let entry = try #require(world.saved.entries.first { $0.setting == Sample.card })
    #expect(entry.isForeign(changed))
  }

  @Test func aDriverOfSomebodyElsesChoiceStays() throws {
    let world = World(Sample.host)
    try world.enter(borrower)
    let other = Value.driver(DriverBinding(driver: "uio_pci_generic", override: nil))
    world.values[Sample.card] = other
    let outcome = try world.leave(borrower)
    #expect(outcome.drifts.count == 1)
    #expect(world.values[Sample.card] == other && world.saved == Ledger())
  }

  @Test func whatIsLentToOneDomainIsNoOthers() throws {
    let world = World(Sample.host)
    try world.enter(borrower)
    #expect(throws: Rejection.self) { try world.enter(Sample.alpha) }
    try world.leave(borrower)
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test func aDeathAtAnyStepOfALoanIsForgottenInTheEnd() throws {
    let whole = World(Sample.host)
    try whole.enter(borrower)
    whole.values[Sample.card] = lent
    try whole.leave(borrower)
    for death in 1...whole.steps {
      let world = World(Sample.host)
      world.revive(budget: death)
      _ = try? world.enter(borrower)
      world.values[Sample.card] = world.saved.holders.isEmpty ? world.values[Sample.card] : lent
      _ = try? world.leave(borrower)
      world.revive()
      try world.leave(borrower)
      #expect(world.values == Sample.host && world.saved == Ledger(), "\(death)")
    }
  }
}
