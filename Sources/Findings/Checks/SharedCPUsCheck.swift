internal import HostModel

/// Whether two domains want the same CPU although one of them wants it to itself.
struct SharedCPUsCheck: HostCheck {
  static let name = "shared-cpus"

  func findings(on host: ExaminedHost) -> [Finding] {
    var findings: [Finding] = []
    for (index, first) in host.domains.enumerated() {
      for second in host.domains.dropFirst(index + 1) where first.isIsolated || second.isIsolated {
        let shared = first.vcpuCPUs.intersection(second.vcpuCPUs)
        // Pins to whole nodes say where a domain may run, not where it does.
        guard !shared.isEmpty, !first.vcpuCPUs.isEmpty, !second.vcpuCPUs.isEmpty else { continue }
        findings.append(finding(first, second, shared))
      }
    }
    return findings
  }

  private func finding(
    _ first: ExaminedDomain, _ second: ExaminedDomain, _ shared: CPUList
  ) -> Finding {
    let names = "\(first.domain.name) and \(second.domain.name)"
    return Finding(
      first.isRunning && second.isRunning ? .warning : .note,
      "\(names) are both pinned to CPU \(shared)",
      evidence: [first.pinEvidence, second.pinEvidence],
      consequence: "they cannot both be in and be isolated: whoever comes second shares its CPUs",
      fix: "berth advise \(second.commandName)"
        + " says which CPUs are free; or run only one at a time (companions.stop)")
  }
}
