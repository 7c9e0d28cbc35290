internal import HostModel

/// Whether vCPUs that are real-time threads have CPUs to themselves.
struct SchedulerCheck: DomainCheck {
  static let name = "scheduler"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let isScheduled = !domain.domain.scheduledVCPUs.isEmpty
    guard isScheduled || domain.policy.fifoPriority != nil, !domain.isIsolated else { return [] }
    let seen =
      isScheduled
      ? Evidence(domain.file, "vcpusched for vCPUs \(domain.domain.scheduledVCPUs)")
      : Evidence(
        "policy of \(domain.domain.name)",
        "scheduler.fifo-priority = \(domain.policy.fifoPriority ?? 0)")
    return [
      Finding(
        .warning,
        "\(domain.domain.name) has real-time vCPUs on CPUs that the host works on as well",
        evidence: [seen, domain.pinEvidence],
        consequence: "a vCPU that never idles starves the kernel's own threads there: disks and "
          + "networks of the whole host may stand still",
        fix: "pin each vCPU to one CPU of its own, so that it is isolated: "
          + "berth advise \(domain.commandName); or take the scheduler out")
    ]
  }
}
