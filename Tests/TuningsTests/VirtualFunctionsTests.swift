import HostModel
import Testing

@testable import Tunings

struct VirtualFunctionsTests {
  private let tuning = VirtualFunctions()
  private let parent = Sample.function.address

  private func policy(_ count: Int = 2, _ wishes: [Policy.SRIOV.Wish] = []) -> Policy {
    var policy = Policy()
    policy.sriov.numbers = [Policy.SRIOV.Number(physical: "nic", count: count)]
    if !wishes.isEmpty {
      policy.sriov.functions = [Policy.SRIOV.Function(name: "nic/1", wishes: wishes)]
    }
    return policy
  }

  private func host(count: Int = 0, total: Int = 7, uses: [String] = []) -> HostFacts {
    var host = Sample.host
    host.physicalFunctions = [
      PhysicalFunctionFacts(
        asked: "nic", address: parent, count: count, total: total, uses: uses)
    ]
    return host
  }

  @Test func asksForNothingUnlessPolicyDoes() {
    #expect(Sample.needs(tuning, .prepare) == FactNeeds())
    for phase in [Phase.start, .started, .reconnect, .stopped, .release] {
      #expect(Sample.needs(tuning, phase, policy: policy()) == FactNeeds())
      #expect(Sample.plan(tuning, phase, policy: policy(), on: host()) == Plan(phase: phase))
    }
  }

  @Test func makesTheFunctionsBeforeItPlansTheRest() {
    let policy = policy(2, [Policy.SRIOV.Wish(.vlan, "69")])
    let first = Sample.plan(tuning, policy: policy, on: host())
    #expect(first.changes.map(\.setting) == [.virtualFunctions(of: parent)])
    #expect(first.changes.map(\.claim) == [.atLeast(2)])
    #expect(first.preliminaries == first.changes && first.refusals.isEmpty)

    var made = host(count: 2)
    let function = VirtualFunction(of: parent, index: 1)
    made.virtualFunctions = [VirtualFunctionFacts(asked: "nic/1", function: function)]
    let second = Sample.plan(tuning, policy: policy, on: made)
    #expect(
      second.changes.map(\.setting)
        == [.virtualFunctions(of: parent), .virtualFunction(function, .vlan)])
    #expect(second.changes.map(\.claim) == [.atLeast(2), .alone(.text("69"))])
    #expect(second.preliminaries.isEmpty && second.warnings.isEmpty)
  }

  @Test(arguments: [
    (9, 0, [String](), "can have 7 at most"),
    (
      4, 2, ["0000:41:10.0 is bound to vfio-pci"], "it would lose them first: 0000:41:10.0 is bound"
    ),
  ])
  func refusesWhatCannotBeMade(count: Int, standing: Int, uses: [String], reason: String) {
    let plan = Sample.plan(tuning, policy: policy(count), on: host(count: standing, uses: uses))
    #expect(plan.changes.isEmpty && plan.preliminaries.isEmpty)
    #expect(plan.refusals.count == 1 && plan.refusals[0].description.contains(reason))
    var policy = policy(count)
    policy.pci.requiresFunctions = false
    let waived = Sample.plan(tuning, policy: policy, on: host(count: standing, uses: uses))
    #expect(waived.refusals.isEmpty && waived.warnings.count == 1)
  }

  @Test func refusesFunctionsThatAreNotThere() {
    let none = Sample.plan(tuning, policy: policy(), on: Sample.host)
    #expect(none.refusals[0].description.contains("no function that virtual ones can be made from"))
    let wish = policy(1, [Policy.SRIOV.Wish(.trust, "on")])
    let absent = Sample.plan(tuning, policy: wish, on: host(count: 1))
    #expect(absent.refusals[0].description.contains("nic/1, which this host does not have"))
  }

  @Test func functionsThatAreInUseServeWhoeverWantsNoMore() {
    let plan = Sample.plan(tuning, policy: policy(2), on: host(count: 3, uses: ["one is up"]))
    #expect(plan.changes.map(\.claim) == [.atLeast(2)] && plan.preliminaries.isEmpty)
  }

  @Test func aFunctionThatIsStillToBeMadeIsNotMissed() {
    var domain = Sample.domain
    domain.functions = [
      PassedFunction(
        address: PCIAddress("0000:41:10.0") ?? parent, isManaged: false, kind: .hostdev)
    ]
    let early = Sample.plan(PCIBinding(), domain: domain, policy: policy(), on: host())
    #expect(early == Plan(phase: .prepare))
    let late = Sample.plan(PCIBinding(), domain: domain, policy: policy(), on: host(count: 2))
    #expect(late.refusals.count == 1)
    let start = Sample.plan(PCIBinding(), .start, domain: domain, policy: policy(), on: host())
    #expect(start.refusals.count == 1)
  }
}
