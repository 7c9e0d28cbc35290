import HostModel
import Ledger
import Testing

/// Units that are active or not: what somebody else does to them stands, and what passes is waited
/// for.
struct ServiceTests {
  private let unit = Setting.service(unit: "gdm.service")
  private let own = Setting.ownService(
    OwnService(unit: "berth-x.service", title: "x", manner: .awaited, command: ["/bin/x"]))

  private func world(_ activity: Activity = .active) -> World {
    World([unit: .activity(activity), own: .activity(.inactive)])
  }

  private func visitor(_ name: String, isRequired: Bool = false) -> Visitor {
    Visitor(
      name,
      [
        Change(
          unit, .exactly(.activity(.inactive)), because: "card", isRequired: isRequired),
        Change(own, .exactly(.activity(.active)), because: "monitor"),
      ])
  }

  @Test func whatWasStartedMeanwhileIsReportedAndLeftAlone() throws {
    let world = world()
    try world.enter(visitor("a"))
    world.values[unit] = .activity(.active)
    world.values[own] = .activity(.inactive)
    let outcome = try world.recover()
    #expect(outcome.drifts.count == 2)
    #expect(world.values == [unit: .activity(.active), own: .activity(.inactive)])
    let writes = world.writes.count
    #expect(try world.leave(visitor("a")) == Outcome())
    #expect(world.writes.count == writes && world.saved == Ledger())
  }

  @Test func aDomainThatNeedsItStoppedIsRefusedWhileSomebodyElseRunsIt() throws {
    let world = world()
    try world.enter(visitor("a"))
    world.values[unit] = .activity(.active)
    #expect(throws: (any Error).self) { try world.enter(visitor("b", isRequired: true)) }
    #expect(world.values[unit] == .activity(.active))
  }

  @Test func aUnitThatIsOnItsWayDownIsWaitedForAndStaysDown() throws {
    let world = world(.stopping)
    try world.enter(visitor("a"))
    #expect(world.values[unit] == .activity(.inactive))
    try world.leave(visitor("a"))
    #expect(world.values[unit] == .activity(.inactive) && world.saved == Ledger())
  }

  @Test func aUnitThatDoesNotStopInTimeIsBroughtBack() throws {
    let world = world()
    world.refusals[unit] = Refusal(errno: 110, times: 1, stages: 1)
    let outcome = try world.enter(visitor("a"))
    #expect(outcome.warnings.count == 1)
    #expect(world.values[unit] == .activity(.active))
    try world.leave(visitor("a"))
    #expect(world.saved == Ledger())
  }
}
