import HostModel
import Testing

@testable import Tunings

/// How deep the CPUs of vCPUs may sleep, in the kernel's words for it.
struct IdleStatesTests {
  private func plan(
    _ limit: Int?, _ facts: [IdleFacts], _ phase: Phase = .started
  ) -> Plan {
    var policy = Policy()
    policy.cpu.maximumWakeupLatency = limit
    var host = Sample.host
    host.idleStates = facts
    return Sample.plan(IdleStates(), phase, policy: policy, on: host)
  }

  @Test func asksForTheCPUsOfTheVCPUsAndOnlyWhereItIsWanted() {
    var policy = Policy()
    #expect(Sample.needs(IdleStates(), .started, policy: policy) == FactNeeds())
    policy.cpu.maximumWakeupLatency = 2
    #expect(Sample.needs(IdleStates(), .started, policy: policy).idleCPUs == [4, 12])
    #expect(Sample.needs(IdleStates(), .prepare, policy: policy) == FactNeeds())
    #expect(plan(nil, [IdleFacts(cpu: 4, latencyLimit: "0")]) == Plan(phase: .started))
  }

  /// What stands, what is asked for, and what is claimed: `0` stands for no limit, `n/a` for none
  /// at all.
  @Test(
    arguments: [
      ("0", 2, "2"), ("0", 0, "n/a"), ("50", 2, "2"), ("2", 2, "2"), ("n/a", 0, "n/a"),
      ("5", 0, "n/a"), ("1", 2, nil), ("n/a", 2, nil), ("rubbish", 2, "2"),
    ] as [(String, Int, String?)])
  func aLimitIsOnlyEverMadeStricter(standing: String, limit: Int, claimed: String?) {
    let plan = plan(limit, [IdleFacts(cpu: 4, latencyLimit: standing)])
    #expect(plan.changes.map(\.claim) == (claimed.map { [.exactly(.text($0))] } ?? []))
    #expect(plan.warnings == [])
    #expect(
      plan.changes.map { "\($0.setting)" }
        == claimed.map { _ in ["/sys/devices/system/cpu/cpu4/power/pm_qos_resume_latency_us"] }
        ?? [])
  }

  @Test func statesThatAreTooDeepAreSwitchedOffWhereThereIsNoLimit() {
    var facts = IdleFacts(cpu: 4, latencyLimit: nil)
    facts.states = [
      IdleState(index: 1, name: "C1", latency: 2), IdleState(index: 2, name: "C6", latency: 133),
    ]
    #expect(
      plan(2, [facts]).changes.map { "\($0.setting) \($0.claim)" } == [
        "/sys/devices/system/cpu/cpu4/cpuidle/state2/disable 1"
      ])
    #expect(plan(0, [facts]).changes.count == 2)
  }

  @Test func cpusWithoutIdleStatesAreNamedInOneWarning() {
    let facts = [4, 12].map { IdleFacts(cpu: $0, latencyLimit: nil) }
    #expect(
      plan(2, facts).warnings == [
        "CPUs 4,12: their sleep cannot be limited: they have no idle states"
      ])
  }

  @Test func aDomainWithoutPinsIsTold() {
    var policy = Policy()
    policy.cpu.maximumWakeupLatency = 2
    var domain = Sample.domain
    domain.vcpuPins = [:]
    let plan = Sample.plan(IdleStates(), .prepare, domain: domain, policy: policy)
    #expect(plan.warnings.count == 1 && plan.warnings[0].hasPrefix("no vCPU of win10 is pinned"))
  }
}
