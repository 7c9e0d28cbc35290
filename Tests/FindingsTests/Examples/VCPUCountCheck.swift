import HostModel

@testable import Findings

/// Whether a VM has more vCPUs than the host has CPUs.
struct VCPUCountCheck: DomainCheck {
  static let name = "vcpu-count"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let vcpus = domain.domain.vcpus
    let cpus = host.topology.onlineCPUs.count
    guard vcpus > cpus else { return [] }
    return [
      Finding(
        .warning, "\(domain.domain.name) has \(vcpus) vCPUs, the host \(cpus) CPUs",
        evidence: [Evidence(domain.file, "\(vcpus) vCPUs")],
        consequence: "vCPUs wait for each other whenever all of them run",
        fix: "give it at most \(cpus) vCPUs")
    ]
  }
}
