import HostModel
import Testing

@testable import Tunings

struct PlannerTests {
  @Test func aDomainThatAsksForNothingNeedsNoFactsAndChangesNothing() {
    let plain = Domain(hypervisor: .libvirt, name: "plain", id: "p", vcpus: 4)
    for phase in Phase.allCases {
      let request = Request(domain: plain, phase: phase, policy: Policy())
      #expect(Planner.needs(for: request) == FactNeeds())
      #expect(Planner.plan(request, on: Sample.host) == Plan(phase: phase))
    }
  }

  @Test func aDomainThatPolicySwitchesOffIsLeftAlone() {
    var policy = Policy()
    policy.isEnabled = false
    for phase in Phase.allCases {
      let request = Request(domain: Sample.domain, phase: phase, policy: policy)
      // All that is looked at is whether another domain's partition would end its start.
      var needs = FactNeeds()
      needs.attributes = Planner.needs(for: request).attributes
      #expect(Planner.needs(for: request) == needs)
      #expect(needs.attributes.isEmpty == (phase != .prepare))
      #expect(Planner.plan(request, on: Sample.host) == Plan(phase: phase))
    }
  }

  @Test(arguments: [Phase.stopped, .release])
  func nothingIsClaimedOnceTheDomainEnds(phase: Phase) {
    var host = Sample.host
    host.process = .expected(for: Sample.domain)
    let request = Request(domain: Sample.domain, phase: phase, policy: Policy())
    #expect(Planner.plan(request, on: host) == Plan(phase: phase))
  }

  @Test func theSameRequestGivesTheSamePlan() {
    let request = Request(domain: Sample.domain, phase: .prepare, policy: Policy())
    #expect(Planner.plan(request, on: Sample.host) == Planner.plan(request, on: Sample.host))
  }
}
