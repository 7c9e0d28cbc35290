import HostModel
import Ledger
import Testing

/// A pool has other users: only what Berth obtained is ever taken off again.
struct PoolTests {
  private func visitor(
    _ name: String, pages: Int, isRequired: Bool = true, remedies: [Step] = []
  ) -> Visitor {
    Visitor(
      name,
      [
        Change(
          Sample.pool, .more(pages, need: pages), because: "memory", isRequired: isRequired,
          remedies: remedies)
      ])
  }

  private func world(pages: Int, limit: Int? = nil) -> World {
    let world = World([Sample.pool: .count(pages)])
    if let limit { world.limits[Sample.pool] = limit }
    return world
  }

  @Test func otherUsersPagesStayWhenTheyComeAndGoMeanwhile() throws {
    let world = world(pages: 10)
    let visitor = visitor("a", pages: 5)
    try world.enter(visitor)
    world.values[Sample.pool] = .count(40)
    try world.leave(visitor)
    #expect(world.values[Sample.pool] == .count(35))
  }

  @Test func aPoolThatSomebodyEmptiedIsLeftEmpty() throws {
    let world = world(pages: 0)
    let visitor = visitor("a", pages: 5)
    try world.enter(visitor)
    world.values[Sample.pool] = .count(0)
    try world.leave(visitor)
    #expect(world.values[Sample.pool] == .count(0))
    #expect(world.saved == Ledger())
  }

  @Test func aShortageGivesBackWhatItGotAndSaysHowMuchThatWas() throws {
    let world = world(pages: 2, limit: 6)
    #expect {
      try world.enter(visitor("a", pages: 10))
    } throws: { error in
      guard case Rejection.short(let shortage)? = error as? Rejection else { return false }
      return shortage.need == 10 && shortage.got == 4
    }
    #expect(world.values[Sample.pool] == .count(2))
    #expect(world.saved == Ledger())
  }

  @Test func whatTheKernelGrantedIsWhatTheLedgerSays() throws {
    let world = world(pages: 2, limit: 6)
    let visitor = visitor("a", pages: 10, isRequired: false)
    let outcome = try world.enter(visitor)
    #expect(outcome.warnings.count == 1)
    #expect(world.saved.entries.first?.written == .count(4))
    #expect(world.saved.entries.first?.claims.first?.claim == .more(4, need: 10))
    try world.leave(visitor)
    #expect(world.values[Sample.pool] == .count(2))
  }

  @Test func remediesAreRepeatedWhileTheyHelpAndOnlyThen() throws {
    let helpful = world(pages: 0, limit: 4)
    helpful.remedyGain = 3
    try helpful.enter(visitor("a", pages: 10, remedies: [.compactMemory(node: 1), .dropCaches]))
    #expect(helpful.values[Sample.pool] == .count(10))
    #expect(helpful.remediesUsed == [.compactMemory(node: 1), .compactMemory(node: 1)])

    let useless = world(pages: 0, limit: 4)
    #expect(throws: Rejection.self) {
      try useless.enter(visitor("a", pages: 10, remedies: [.compactMemory(node: 1), .dropCaches]))
    }
    #expect(useless.remediesUsed == [.compactMemory(node: 1), .dropCaches])
    #expect(useless.values[Sample.pool] == .count(0))
  }

  @Test func twoDomainsAddUpAndLeaveInAnyOrder() throws {
    for aLeavesFirst in [true, false] {
      let world = world(pages: 1)
      let (a, b) = (visitor("a", pages: 5), visitor("b", pages: 3))
      try world.enter(a)
      try world.enter(b)
      #expect(world.values[Sample.pool] == .count(9))
      try world.leave(aLeavesFirst ? a : b)
      #expect(world.values[Sample.pool] == .count(aLeavesFirst ? 4 : 6))
      try world.leave(aLeavesFirst ? b : a)
      #expect(world.values[Sample.pool] == .count(1))
    }
  }

  @Test func anotherHookAtWorkOnAPoolIsWaitedForOnlyByWhoNeedsIt() throws {
    let world = world(pages: 0)
    world.locked = [.setting(Sample.pool)]
    #expect {
      try world.enter(visitor("a", pages: 5))
    } throws: {
      "\($0)".contains("another hook")
    }
    #expect(world.values[Sample.pool] == .count(0))
    _ = try world.recover()
  }
}
