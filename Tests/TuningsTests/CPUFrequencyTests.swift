import HostModel
import Testing

@testable import Tunings

/// Governor, preference and limits of the CPUs that a domain's vCPUs have, and what stands against
/// them.
struct CPUFrequencyTests {
  private static func facts(
    _ governor: String = "powersave", preference: String? = "balance_performance"
  ) -> FrequencyFacts {
    var facts = FrequencyFacts(name: "policy4", cpus: [4, 12], governor: governor)
    facts.governors = ["performance", "powersave"]
    facts.energyPreferences = ["default", "performance", "balance_performance", "power"]
    facts.energyPreference = preference
    facts.maximum = 4_200_000
    return facts
  }

  private func plan(
    _ governor: String?, _ preference: String? = nil, on facts: FrequencyFacts = facts(),
    _ phase: Phase = .started
  ) -> Plan {
    var policy = Policy()
    policy.cpu.governor = governor
    policy.cpu.energyPreference = preference
    var host = Sample.host
    host.frequencies = [facts]
    return Sample.plan(CPUFrequency(), phase, policy: policy, on: host)
  }

  private func words(_ plan: Plan) -> [String] {
    plan.changes.map { change in
      "\(change.setting)".split(separator: "/").last.map { "\($0) \(change.claim)" } ?? ""
    }
  }

  private static let epp = "energy_performance_preference"

  @Test func whoAsksForNothingNeedsNothing() {
    for phase in Phase.allCases {
      #expect(Sample.needs(CPUFrequency(), phase) == FactNeeds())
      #expect(Sample.plan(CPUFrequency(), phase) == Plan(phase: phase))
    }
  }

  @Test func asksForThePoliciesOfThePinnedCPUsOnly() {
    var policy = Policy()
    policy.cpu.governor = "performance"
    #expect(Sample.needs(CPUFrequency(), .started, policy: policy).frequencyCPUs == [4, 12])
    #expect(Sample.needs(CPUFrequency(), .prepare, policy: policy) == FactNeeds())
  }

  /// What stands, what is asked for, and the changes in their order.
  @Test(
    arguments: [
      // The preference goes with the governor, and comes back after it.
      ("powersave", "performance", nil, ["\(epp) performance", "scaling_governor performance"]),
      ("powersave", "powersave", "power", ["\(epp) power", "scaling_governor powersave"]),
      // Under the governor `performance` no other preference can be written.
      ("performance", "powersave", "power", ["scaling_governor powersave", "\(epp) power"]),
      ("performance", "performance", nil, ["\(epp) performance", "scaling_governor performance"]),
      // A preference holds the governor that it needs.
      ("powersave", nil, "power", ["\(epp) power", "scaling_governor powersave"]),
      ("powersave", nil, "performance", ["\(epp) performance"]),
      ("performance", nil, "performance", ["\(epp) performance"]),
      ("performance", "powersave", nil, ["scaling_governor powersave"]),
    ] as [(String, String?, String?, [String])])
  func ordersGovernorAndPreference(
    standing: String, governor: String?, preference: String?, changes: [String]
  ) {
    let plan = plan(governor, preference, on: Self.facts(standing))
    #expect(words(plan) == changes)
    #expect(plan.warnings == [])
    #expect(plan.changes.allSatisfy { !$0.reason.isEmpty && !$0.isRequired })
  }

  @Test(
    arguments: [
      (
        "schedutil", nil, facts(), [],
        "CPUs 4,12: the driver offers no governor “schedutil”, only performance, powersave"
      ),
      (
        nil, "turbo", facts(), [],
        "CPUs 4,12: the driver offers no energy preference “turbo”, only default, performance, "
          + "balance_performance, power"
      ),
      (
        nil, "power", facts("performance"), [],
        "CPUs 4,12: under the governor performance the kernel takes no energy preference “power”"
      ),
      (
        "performance", "power", facts(),
        ["\(epp) performance", "scaling_governor performance"],
        "CPUs 4,12: under the governor performance the kernel takes no energy preference “power”"
      ),
      (
        "performance", nil, facts(preference: nil), [],
        "CPUs 4,12: the governor stays: with “performance” the energy preference would be lost, as "
          + "its value cannot be read"
      ),
    ] as [(String?, String?, FrequencyFacts, [String], String)])
  func saysWhatStandsAgainstIt(
    governor: String?, preference: String?, facts: FrequencyFacts, changes: [String],
    warning: String
  ) {
    let plan = plan(governor, preference, on: facts)
    #expect(words(plan) == changes)
    #expect(plan.warnings == [warning])
  }

  @Test func aDriverWithoutPreferencesHasAGovernorOnly() {
    var facts = Self.facts("schedutil", preference: nil)
    facts.energyPreferences = []
    #expect(words(plan("performance", on: facts)) == ["scaling_governor performance"])
    #expect(
      plan(nil, "power", on: facts).warnings == [
        "CPUs 4,12: the driver knows of no energy preference"
      ])
  }

  @Test func aLaterPhaseDoesNotClaimWhatSomebodyElseSet() {
    #expect(words(plan(nil, "power", .reconnect)) == ["\(Self.epp) power"])
  }

  @Test func cpusWithoutADriverAreNamed() {
    var facts = Self.facts()
    facts.cpus = [4]
    #expect(
      plan("performance", on: facts).warnings == ["CPUs 12: no driver controls their frequency"])
  }

  @Test(
    arguments: [
      (.highest, [], 4_200_000, 0), (.kHz(3_000_000), [], 3_000_000, 0),
      (.kHz(9_000_000), [], 4_200_000, 1),
      (.kHz(3_000_000), [800_000, 2_900_000, 3_400_000, 4_200_000], 3_400_000, 0),
      (.kHz(3_000_000), [800_000, 2_900_000, 4_400_000], 4_200_000, 0),
    ] as [(Policy.CPU.MinimumFrequency, [Int], Int, Int)])
  func theMinimumStaysBelowTheMaximumAndIsOneThatTheDriverKnows(
    wanted: Policy.CPU.MinimumFrequency, table: [Int], claimed: Int, warnings: Int
  ) {
    var policy = Policy()
    policy.cpu.minimumFrequency = wanted
    var host = Sample.host
    host.frequencies = [Self.facts()]
    host.frequencies[0].table = table
    let plan = Sample.plan(CPUFrequency(), .started, policy: policy, on: host)
    #expect(plan.changes.map(\.claim) == [.atLeast(claimed)])
    #expect(plan.warnings.count == warnings)
  }

  private func boost(_ wanted: Bool, on facts: BoostFacts?) -> Plan {
    var policy = Policy()
    policy.cpu.boost = wanted
    var host = Sample.host
    host.boost = facts
    return Sample.plan(CPUFrequency(), .prepare, policy: policy, on: host)
  }

  @Test(arguments: [(false, false, "0"), (false, true, "1"), (true, false, "1"), (true, true, "0")])
  func theSwitchOfIntelIsTheOtherWayRound(wanted: Bool, isInverted: Bool, text: String) {
    let facts = BoostFacts(path: "/switch", isInverted: isInverted, limitedPolicies: [])
    #expect(boost(wanted, on: facts).changes.map(\.claim) == [.exactly(.text(text))])
  }

  @Test func boostIsLeftAloneWhereItWouldMoveALimitOfSomebodyElse() {
    let facts = BoostFacts(path: "/switch", isInverted: false, limitedPolicies: ["policy2"])
    let plan = boost(false, on: facts)
    #expect(plan.changes.isEmpty && plan.warnings.count == 1)
    #expect(plan.warnings[0].contains("scaling_max_freq, which was lowered for"))
    #expect(boost(true, on: nil).warnings.count == 1)
    var deviating = BoostFacts(path: "/switch", isInverted: false, limitedPolicies: [])
    deviating.deviatingPolicies = ["policy3"]
    deviating.text = "0"
    #expect(boost(false, on: deviating).changes.count == 1)
    deviating.text = "1"
    let other = boost(false, on: deviating)
    #expect(other.changes.isEmpty && other.warnings.count == 1)
    #expect(other.warnings[0].hasSuffix("the boost of every policy, which differs for policy3"))
  }

  @Test func aDomainWithoutPinsIsTold() {
    var policy = Policy()
    policy.cpu.governor = "performance"
    var domain = Sample.domain
    domain.vcpuPins = [:]
    let plan = Sample.plan(CPUFrequency(), .prepare, domain: domain, policy: policy)
    #expect(plan.warnings.count == 1 && plan.warnings[0].hasPrefix("no vCPU of win10 is pinned"))
  }
}
