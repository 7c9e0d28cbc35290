import HostModel
import Ledger
import Testing

/// What can be tried completely: three domains that want the same settings, in every order of
/// their phases, with processes that die at every step.
///
/// How much was tried is counted, so that an empty search would show.
struct ExhaustiveTests {
  @Test func inEveryOrderOfThreeDomainsTheHostIsAsBeforeInTheEnd() throws {
    var chooser = Chooser()
    while chooser.next() {
      let world = World(Crowd.host)
      var waiting = Crowd.all.map { [($0, true), ($0, false)] }
      while waiting.contains(where: { !$0.isEmpty }) {
        let domain = chooser.pick(from: waiting.indices.filter { !waiting[$0].isEmpty })
        let (visitor, enters) = waiting[domain].removeFirst()
        if enters {
          do {
            try world.enter(visitor)
            world.begin(visitor)
            try world.settleIn(visitor)
          } catch is Rejection {
            #expect(world.saved.holder(visitor.holder.id) == nil)
          }
        } else {
          world.end(visitor)
          let outcome = try world.leave(visitor)
          #expect(outcome == Outcome())
        }
        #expect(world.unsettled.isEmpty)
      }
      let left = world.values.filter { Crowd.host[$0.key] != nil }
      #expect(left == Crowd.host && world.saved == Ledger())
      #expect(world.wroteUnrecorded.isEmpty && world.wroteUnlocked.isEmpty)
    }
    #expect(chooser.runs == 90)
  }

  @Test func aDeathAtAnyStepOfThreeDomainsIsForgottenInTheEnd() {
    let (visitors, host) = Crowd.part { !$0.isSwitch }
    var explorer = Explorer(visitors, on: host, crashes: 1)
    explorer.explore()
    #expect(explorer.findings.isEmpty)
    #expect(explorer.seen.count > 5_000 && explorer.deaths > 15_000)
  }

  @Test func twoDeathsAtAnyStepsOfTwoDomainsAreForgottenInTheEnd() {
    let (visitors, host) = Crowd.part { !$0.isSwitch }
    var explorer = Explorer(Array(visitors.prefix(2)), on: host, crashes: 2)
    explorer.explore()
    #expect(explorer.findings.isEmpty)
    #expect(explorer.seen.count > 5_000 && explorer.deaths > 25_000)
  }

  @Test func twoDeathsAmongServicesAndCommandsAreForgottenInTheEnd() {
    let (visitors, host) = Crowd.part(\.isSwitch)
    var explorer = Explorer(visitors, on: host, crashes: 2)
    explorer.explore()
    #expect(explorer.findings.isEmpty)
    #expect(explorer.seen.count > 2_000 && explorer.deaths > 10_000)
  }
}
