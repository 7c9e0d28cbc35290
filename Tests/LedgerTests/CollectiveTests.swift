import HostModel
import Ledger
import Testing

/// What is claimed of all is claimed of each: of those that are there, of those that come, and of
/// none that is gone.
struct CollectiveTests {
  private let interrupts = (60...62).compactMap { number in
    PCIAddress("0000:41:00.0").map {
      Setting.interrupt(PassedInterrupt(number: number, function: $0))
    }
  }

  private func visitor() throws -> Visitor {
    let function = try #require(PCIAddress("0000:41:00.0"))
    return Visitor(
      "a", [Change(.every(.interrupts(of: function)), .exactly(.cpus([1])), because: "near")])
  }

  @Test func thoseThatComeLaterAreClaimedAtTheNextEvent() throws {
    let world = World([:])
    #expect(try world.enter(visitor()) == Outcome())
    #expect(world.saved.awaitsMore && world.writes.isEmpty)
    world.values[interrupts[0]] = .cpus([0, 1])
    #expect(try world.recover() == Outcome())
    #expect(world.values == [interrupts[0]: .cpus([1])])
    // Made anew by the guest's next boot, under another number.
    world.values = [interrupts[1]: .cpus([0, 1])]
    #expect(try world.recover() == Outcome())
    #expect(world.values == [interrupts[1]: .cpus([1])])
    #expect(world.saved.entries.map(\.setting).filter { $0.collective != nil } == [interrupts[1]])
    #expect(try world.leave(visitor()) == Outcome())
    #expect(world.values == [interrupts[1]: .cpus([0, 1])] && world.saved == Ledger())
    #expect(world.wroteUnrecorded.isEmpty && world.wroteUnlocked.isEmpty)
  }

  @Test func anotherDomainsEventSettlesThemToo() throws {
    let world = World(Sample.host)
    try world.enter(visitor())
    world.values[interrupts[2]] = .cpus([0, 1])
    try world.enter(Sample.alpha)
    #expect(world.values[interrupts[2]] == .cpus([1]))
  }

  @Test func oneThatSomebodyElseMovedIsToldOfAndLeftAlone() throws {
    let world = World([interrupts[0]: .cpus([0, 1])])
    try world.enter(visitor())
    world.values[interrupts[0]] = .cpus([3])
    #expect(try world.recover().drifts.count == 1)
    #expect(try world.leave(visitor()).drifts.count == 1)
    #expect(world.values == [interrupts[0]: .cpus([3])] && world.saved == Ledger())
  }

  @Test func oneThatIsMadeAnewBetweenTwoEventsIsNobodyElses() throws {
    let world = World([interrupts[0]: .cpus([0, 1])])
    try world.enter(visitor())
    // Others are kept off CPU 0 by now.
    world.initialValues[interrupts[0]] = .cpus([2, 3])
    world.values[interrupts[0]] = .cpus([2, 3])
    #expect(try world.recover() == Outcome())
    #expect(world.values == [interrupts[0]: .cpus([1])])
    world.values[interrupts[0]] = .cpus([2, 3])
    #expect(try world.leave(visitor()) == Outcome())
    #expect(world.values == [interrupts[0]: .cpus([2, 3])] && world.saved == Ledger())
  }

  @Test func manyThatSomebodyElseMovedAreOneSentence() throws {
    let world = World([:])
    for interrupt in interrupts { world.values[interrupt] = .cpus([0, 1]) }
    try world.enter(visitor())
    for interrupt in interrupts { world.values[interrupt] = .cpus([3]) }
    let drifts = try world.recover().drifts
    #expect(drifts.count == 1)
    #expect(drifts[0].hasPrefix("interrupts moved outside Berth since: 3, the first: "))
  }

  @Test func twoThatWantDifferentThingsOfThemAreToldApart() throws {
    let world = World([interrupts[0]: .cpus([0, 1])])
    try world.enter(visitor())
    var other = try visitor()
    other.holder.id.id = "b"
    other.changes[0].claim = .exactly(.cpus([2]))
    #expect(try world.enter(other).warnings.count == 1)
    #expect(world.values == [interrupts[0]: .cpus([1])])
  }
}
