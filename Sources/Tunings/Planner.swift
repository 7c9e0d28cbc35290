package import HostModel

/// Puts together what all tunings want.
///
/// It is pure: the hook, `berth plan` and a replay on a recorded host get the same plan from the
/// same request and facts.
package enum Planner {
  /// What has to be read of the host before `plan`.
  package static func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    for tuning in tunings(for: request) { needs.merge(tuning.needs(for: request)) }
    return needs
  }

  /// The claim that obtains by now so many pages of a pool as a domain is to have of it, which takes no
  /// more facts than those of the nodes.
  package static func claim(on pool: HugepagePool, need: Int, on host: HostFacts) -> Claim {
    HugepageReservation.claim(on: pool, need: need, on: host)
  }

  /// Whether a domain's huge pages can come from other nodes than those that have granted too few
  /// (`Request.obtainablePages`).
  package static func canDivideMemory(of request: Request, on host: HostFacts) -> Bool {
    HugepageReservation.canDivide(request, on: host)
  }

  /// How many of the pages that domains on their way in count on a pool lacks.
  package static func lack(in pool: HugepagePool, on host: HostFacts) -> Int {
    HugepageReservation.lack(in: pool, on: host)
  }

  /// What a domain wants of a host in a phase; step by step, a plan that has to come first is all that
  /// is planned for now.
  package static func plan(
    _ request: Request, on host: HostFacts, stepwise: Bool = false
  ) -> Plan {
    var plan = Plan(phase: request.phase)
    if let first = host.skipped.first {
      plan.warnings.append(
        "\(counted(host.skipped.count, "foreign task or interrupt")) left out of the plan, being unreadable: "
          + first)
    }
    for tuning in tunings(for: request) {
      plan.append(tuning.plan(request, on: host))
      if stepwise, plan.comesFirst { return plan }
    }
    return plan
  }

  private static func tunings(for request: Request) -> [any Tuning] {
    if request.isOfPolicyAlone { return catalog.filter(\.goesByPolicyAlone) }
    let tunings = request.policy.isEnabled ? catalog : [CPUsOfOthers()]
    return request.guestWaits ? tunings.filter { !$0.servesGuest(in: request.phase) } : tunings
  }
}
