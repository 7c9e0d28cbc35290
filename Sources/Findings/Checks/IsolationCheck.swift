internal import HostModel

/// Whether a domain that is in has its vCPUs' CPUs to itself in the best way that its host can do.
struct IsolationCheck: DomainCheck {
  static let name = "isolation"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let name = domain.domain.name
    // What a guest that is frozen has not got yet is no lack.
    let goals = domain.attained.filter { !$0.misses.isEmpty && $0.goal != Attainment.service }
    return goals.map { attainment in
      let isShared = attainment.rung == nil && attainment.goal == Self.name
      let reached = attainment.rung.map { "by \($0) only" } ?? "not reached"
      return Finding(
        isShared ? .warning : .note,
        "\(attainment.goal) of \(name) is \(reached)",
        evidence: attainment.misses.map { Evidence("no \($0.name)", $0.reason) },
        consequence: consequence(of: attainment, isShared),
        fix: "docs/ISOLATION.md has what each way asks for; \(name) tries again at its next start")
    }
  }

  private func consequence(of attainment: Attainment, _ isShared: Bool) -> String {
    if attainment.goal != Self.name {
      return "what runs on the other threads of its cores slows its vCPUs"
    }
    return isShared
      ? "other tasks of the host run on its vCPUs' CPUs"
      : "more of the host's work reaches its vCPUs than has to"
  }
}
