import HostModel
import Ledger
import Testing

/// The administrator's last word on one setting.
struct ForceTests {
  @Test func putsTheOriginalBackOverAForeignValueAndOthersClaims() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.values[Sample.governor] = .text("schedutil")
    let outcome = try world.engine.force(Sample.governor, until: World.forever)
    #expect(outcome.failures.isEmpty)
    #expect(world.values[Sample.governor] == .text("powersave"))
    #expect(world.saved.index(of: Sample.governor) == nil)
    #expect(world.saved.holders.count == 1)
    try world.leave(Sample.alpha)
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test func takesNoMoreOffAPoolThanBerthObtained() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.values[Sample.pool] = .count(30)
    _ = try world.engine.force(Sample.pool, until: World.forever)
    #expect(world.values[Sample.pool] == .count(25))
  }

  @Test func aSettingThatNobodyHoldsIsLeftAlone() throws {
    let world = World(Sample.host)
    _ = try world.engine.force(Sample.governor, until: World.forever)
    #expect(world.values == Sample.host && world.writes.isEmpty)
  }
}
