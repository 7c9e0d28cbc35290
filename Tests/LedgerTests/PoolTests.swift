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

  /// A visitor whose hook is at work, as every domain's is on its way in.
  private func arriving(_ name: String, pages: Int, isRequired: Bool = true) -> Visitor {
    var visitor = visitor(name, pages: pages, isRequired: isRequired)
    visitor.holder.hook = ProcessIdentity(pid: 7, startTime: 7)
    return visitor
  }

  /// The world in which a domain's claim gets on record while another one's pages are obtained.
  private func world(pages: Int, limit: Int, andMeanwhile late: Visitor) -> World {
    let world = world(pages: pages, limit: limit)
    world.meanwhile = { world in
      world.saved.put(late.holder)
      for change in late.changes {
        guard let index = world.saved.index(of: change.setting) else { continue }
        let held = HeldClaim(holder: late.holder.id, claim: change.claim, reason: change.reason)
        world.saved.entries[index].claims = Claims(world.saved.entries[index].claims + [held])
      }
    }
    return world
  }

  @Test func whatAnotherStartHasNotTriedToGetIsNotMissingOfOnesOwn() throws {
    let (a, b) = (arriving("a", pages: 5), arriving("b", pages: 3))
    let world = world(pages: 1, limit: 9, andMeanwhile: b)
    #expect(try world.enter(a) == Outcome())
    #expect(world.values[Sample.pool] == .count(6))
    #expect(try world.enter(b) == Outcome())
    #expect(world.values[Sample.pool] == .count(9))
    try world.leave(a)
    try world.leave(b)
    #expect(world.values[Sample.pool] == .count(1) && world.saved == Ledger())
  }

  @Test(arguments: [true, false])
  func whoComesShortTakesNothingFromAnotherStart(isRequired: Bool) throws {
    let (a, b) = (arriving("a", pages: 5, isRequired: isRequired), arriving("b", pages: 3))
    let world = world(pages: 1, limit: 4, andMeanwhile: b)
    if isRequired {
      #expect {
        try world.enter(a)
      } throws: { error in
        guard case Rejection.short(let shortage)? = error as? Rejection else { return false }
        return shortage.need == 5 && shortage.got == 3
      }
    } else {
      let outcome = try world.enter(a)
      #expect(outcome.warnings.count == 1 && outcome.failures == [])
      #expect(world.saved.entries.first?.claims.first?.claim == .more(3, need: 5))
    }
    // What a refused one obtained is the other's to have.
    #expect(world.values[Sample.pool] == .count(4))
    world.limits = [:]
    #expect(try world.enter(b) == Outcome())
    #expect(world.values[Sample.pool] == .count(isRequired ? 4 : 7))
    try world.leave(a)
    try world.leave(b)
    #expect(world.values[Sample.pool] == .count(1) && world.saved == Ledger())
  }

  @Test func pagesThatAreStillToBeObtainedAreMissingOfOneStartOnly() throws {
    let (a, b) = (arriving("a", pages: 5), arriving("b", pages: 3))
    let world = world(pages: 0, limit: 9, andMeanwhile: b)
    try world.enter(a)
    let pending = world.saved.neighbours(of: HolderID(hypervisor: .libvirt, id: "c"))
      .flatMap(\.pendingPages)
    #expect(pending.map(\.need) == [5, 3])
    #expect(pending.map(\.outstanding) == [0, 3])
  }

  @Test func whatIsMissingIsMissingOfThoseWhoObtainedTheirsFirst() throws {
    let (a, b, c) = (arriving("a", pages: 5), arriving("b", pages: 3), arriving("c", pages: 4))
    let world = world(pages: 0)
    try world.enter(a)
    try world.enter(b)
    // A hypervisor's reset takes some off, and nobody knows whose they were.
    world.values[Sample.pool] = .count(3)
    _ = try world.recover()
    func outstanding() -> [String: Int] {
      Dictionary(
        uniqueKeysWithValues: world.saved.neighbours(of: nil).map { neighbour in
          (neighbour.name, neighbour.pendingPages.map(\.outstanding).reduce(0, +))
        })
    }
    #expect(outstanding() == ["a": 5, "b": 0])
    // Who comes after it has its own.
    try world.enter(c)
    #expect(world.values[Sample.pool] == .count(7))
    #expect(outstanding() == ["a": 5, "b": 0, "c": 0])
  }
}
