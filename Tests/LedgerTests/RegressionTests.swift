import HostModel
import Ledger
import Testing

/// Histories that went wrong once, each as short as it was found.
struct RegressionTests {
  private func findings(_ happenings: Happening...) -> [String] {
    Performance(of: History(happenings.map { Moment(happening: $0) })).findings
  }

  private let once = Refusal(errno: 16, times: 1)

  @Test func pagesThatCannotBeGivenBackAreReported() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.refusals[Sample.pool] = 5
    let outcome = try world.leave(Sample.alpha)
    #expect(outcome.failures.count == 1 && world.saved.entries.count == 1)
    world.refusals = [:]
    try world.recover()
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test func aRequiredDeviceThatIsSomebodyElsesNowRefusesTheStart() {
    #expect(findings(.prepare(0), .meddle(Sample.card, 2), .prepare(0)) == [])
  }

  @Test(arguments: [Sample.card, Sample.pool])
  func whatIsRequiredAndGoneRefusesTheStart(setting: Setting) {
    #expect(findings(.prepare(0), .vanish(setting), .prepare(0)) == [])
  }

  @Test func aPoolThatVanishedOwesNothingOfTheOneThatComesBack() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.values[Sample.pool] = nil
    try world.leave(Sample.alpha)
    #expect(world.saved == Ledger())
    world.values[Sample.pool] = .count(20)
    try world.recover()
    #expect(world.values[Sample.pool] == .count(20))
  }

  @Test func aDeviceThatVanishesAfterAFailedReleaseIsForgotten() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.refusals[Sample.card] = 16
    try world.leave(Sample.alpha)
    world.values[Sample.card] = nil
    try world.recover()
    #expect(world.saved == Ledger())
  }

  @Test func aTaskWaitsForAConfinementThatCouldNotBeTakenAway() {
    #expect(findings(.prepare(2), .refuse(Sample.slice, once), .release(2)) == [])
    #expect(findings(.prepare(2), .hide(Sample.slice, once), .release(2)) == [])
  }

  @Test func whatADomainThatIsGoneSharedWithAnotherIsSettledByTheNext() {
    #expect(findings(.prepare(1), .prepare(0), .end(0), .started(2)) == [])
  }

  @Test func aForeignChangeIsReportedEvenIfARejectionForgetsIt() {
    #expect(
      findings(
        .prepare(0), .meddle(Sample.card, 0), .meddle(Sample.latency, 0), .prepare(0)) == [])
  }

  @Test func aForeignChangeThatWasTakenBackDoesNotHideAFailedRelease() {
    for refusal in [Happening.refuse(Sample.latency, once), .hide(Sample.latency, once)] {
      #expect(
        findings(
          .prepare(0), .meddle(Sample.latency, 0), .sweep, .repent(Sample.latency), refusal,
          .release(0)) == [])
    }
  }
}
