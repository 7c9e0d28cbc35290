internal import HostModel

/// What stands against a domain's next start, by the plan that its hook would make.
struct PlanCheck: DomainCheck {
  static let name = "plan"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    // One that runs has its pages and devices: a plan for another start of it says nothing.
    guard !domain.isRunning else { return [] }
    return domain.plans.flatMap { plan in
      let phase = plan.phase.name(under: domain.domain.hypervisor)
      return plan.refusals.map { refusal in
        finding(.error, refusal.reason, phase, domain, "its start is refused", refusal.fix)
      }
        + plan.warnings.map { warning in
          finding(.warning, warning, phase, domain, "Berth does not refuse the start for this")
        }
        + plan.doubts.map { doubt in
          finding(.warning, doubt, phase, domain, "the VM does not get what it asks for")
        }
    }
  }

  private func finding(
    _ severity: Finding.Severity, _ sentence: String, _ phase: String, _ domain: ExaminedDomain,
    _ consequence: String, _ fix: String? = nil
  ) -> Finding {
    Finding(
      severity, sentence, evidence: [Evidence(domain.file, "as planned for \(phase)")],
      consequence: consequence,
      fix: fix ?? "berth plan \(domain.commandName) shows all of the plan")
  }
}

extension ExaminedDomain {
  /// By what the domain is named on a command line: its name, or Proxmox's number.
  var commandName: String { domain.commandName }
}
