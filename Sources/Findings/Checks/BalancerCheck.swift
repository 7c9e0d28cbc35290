internal import HostModel

/// Whether an irqbalance that runs keeps off the CPUs of isolated domains.
struct BalancerCheck: HostCheck {
  static let name = "irqbalance"

  func findings(on host: ExaminedHost) -> [Finding] {
    let isolated = host.domains.filter(\.isIsolated)
    guard !isolated.isEmpty else { return [] }
    let cpus = isolated.reduce(CPUList()) { $0.union($1.vcpuCPUs) }
    let names = isolated.map(\.domain.name).joined(separator: ", ")
    let unmoved = isolated.filter { $0.policy.interrupts.move == .never }
    return host.balancers.compactMap { balancer in
      let socket = "/run/irqbalance/irqbalance\(balancer.process.pid).sock"
      if !balancer.answers {
        return Finding(
          .warning, "irqbalance runs and cannot be told which CPUs to leave alone",
          evidence: [Evidence(socket, "no answer")],
          consequence: "it moves the host's interrupts onto the vCPUs of \(names)",
          fix: "echo IRQBALANCE_BANNED_CPULIST=\(cpus) >> /etc/default/irqbalance && "
            + "systemctl restart irqbalance")
      }
      guard let domain = unmoved.first else { return nil }
      return Finding(
        .warning, "irqbalance moves interrupts onto the vCPUs of \(domain.domain.name)",
        evidence: [
          Evidence(socket, "answers"),
          Evidence("policy of \(domain.domain.name)", "interrupts.move = \"never\""),
        ],
        consequence: "devices of the host interrupt its vCPUs",
        fix: "take interrupts.move = \"never\" out of its policy, so that irqbalance is told")
    }
  }
}
