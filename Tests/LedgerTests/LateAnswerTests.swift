import HostModel
import Ledger
import Testing

/// A place that shows what it was told only seconds later is told once, and never taken for
/// somebody else's.
struct LateAnswerTests {
  private let first = Setting.balancedOff(ProcessIdentity(pid: 50, startTime: 2))
  private let second = Setting.balancedOff(ProcessIdentity(pid: 51, startTime: 9))

  private func visitor(_ name: String, _ cpus: CPUList) -> Visitor {
    Visitor(name, [Change(.every(.balancers), .withCPUs(cpus), because: "interrupts")])
  }

  private func world() -> World {
    let world = World([first: .cpus([0])])
    world.isSlowToAnswer = true
    return world
  }

  @Test func itIsToldOnceAndWaitedFor() throws {
    let world = world()
    #expect(try world.enter(visitor("a", [1])) == Outcome())
    #expect(try world.recover() == Outcome())
    #expect(world.writes.count == 1 && world.saved.awaitsMore)
    world.lookAgain()
    #expect(try world.recover() == Outcome())
    #expect(world.values == [first: .cpus([0, 1])] && !world.saved.awaitsMore)
    #expect(try world.leave(visitor("a", [])) == Outcome())
    #expect(world.saved.awaitsMore)
    world.lookAgain()
    #expect(try world.recover() == Outcome())
    #expect(world.values == [first: .cpus([0])] && world.saved == Ledger())
  }

  @Test func whatItWasToldAndNeverShowedIsTakenBackAllTheSame() throws {
    let world = world()
    try world.enter(visitor("a", [1]))
    #expect(try world.leave(visitor("a", [])) == Outcome())
    #expect(world.told == [first: .cpus([0])] && world.saved == Ledger())
  }

  @Test func aSecondDomainTellsItBothWhateverItShows() throws {
    for looks in 0..<8 {
      let world = world()
      func look(_ number: Int) { if looks & number != 0 { world.lookAgain() } }
      try world.enter(visitor("a", [1]))
      look(1)
      try world.enter(visitor("b", [2]))
      look(2)
      #expect(try world.recover() == Outcome())
      try world.leave(visitor("b", []))
      look(4)
      #expect(try world.recover() == Outcome())
      world.lookAgain()
      #expect(try world.recover() == Outcome())
      #expect(world.values == [first: .cpus([0, 1])])
      try world.leave(visitor("a", []))
      world.lookAgain()
      #expect(try world.recover() == Outcome())
      #expect(world.values == [first: .cpus([0])] && world.saved == Ledger())
    }
  }

  @Test func aDeathAtAnyStepIsMadeGoodByTheNextEvents() throws {
    for budget in 1..<14 {
      let world = world()
      world.revive(budget: budget)
      _ = try? world.enter(visitor("a", [1]))
      world.revive(budget: budget)
      _ = try? world.leave(visitor("a", []))
      world.revive()
      try world.recover { _ in true }
      world.lookAgain()
      try world.recover()
      world.lookAgain()
      #expect(world.values == [first: .cpus([0])] && world.saved == Ledger())
    }
  }

  @Test func oneThatHasNoTimeToListenIsToldLater() throws {
    let world = world()
    try world.enter(visitor("a", [1]))
    world.lookAgain()
    try world.recover()
    world.unreadable[first] = Refusal(errno: 110, times: 1)
    #expect(try world.leave(visitor("a", [])).failures.count == 1)
    #expect(world.saved.awaitsMore)
    try world.recover()
    world.lookAgain()
    #expect(try world.recover() == Outcome())
    #expect(world.values == [first: .cpus([0])] && world.saved == Ledger())
  }

  @Test func oneThatIsStartedAnewIsToldAnew() throws {
    let world = world()
    try world.enter(visitor("a", [1]))
    world.lookAgain()
    world.values = [second: .cpus([])]
    #expect(try world.recover() == Outcome())
    world.lookAgain()
    #expect(world.values == [second: .cpus([1])])
    #expect(try world.leave(visitor("a", [])) == Outcome())
    world.lookAgain()
    try world.recover()
    #expect(world.values == [second: .cpus([])] && world.saved == Ledger())
  }
}
