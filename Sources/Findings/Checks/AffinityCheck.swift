internal import HostModel

/// Whether `affinity` gives a machine of Proxmox's its CPUs, or only says where it may be.
struct AffinityCheck: DomainCheck {
  static let name = "affinity"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard let fence = domain.fence, let affinity = domain.domain.proxmox?.affinity,
      !affinity.isDisjoint(with: host.topology.onlineCPUs)
    else { return [] }
    return [
      Finding(
        .note, fence, evidence: [Evidence(domain.file, "affinity: \(affinity)")],
        consequence: "no vCPU is pinned, and other tasks run on its CPUs",
        fix: "berth advise \(domain.commandName) says which CPUs to give it")
    ]
  }
}
