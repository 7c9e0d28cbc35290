internal import HostModel

/// Whether a domain has whole cores: who runs on the other thread of a core slows its vCPU down.
struct SplitCoresCheck: DomainCheck {
  static let name = "split-cores"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard domain.oneCPUEach != nil else { return [] }
    let own = domain.vcpuCPUs
    let split = host.topology.cores.filter { core in
      !core.isDisjoint(with: own) && !core.isSubset(of: own)
    }
    guard let first = split.first, let cpu = first.intersection(own).first else { return [] }
    let others = split.reduce(CPUList()) { $0.union($1) }.subtracting(own)
    let rivals = host.domains.filter {
      !$0.domain.isSame(as: domain.domain) && !$0.vcpuCPUs.isDisjoint(with: others)
    }.map(\.domain.name)
    let who = rivals.isEmpty ? "the host" : rivals.joined(separator: ", ")
    let cores = split.count == 1 ? "a core" : "\(split.count) cores"
    return [
      Finding(
        .warning, "\(domain.domain.name) shares \(cores) with \(who)",
        evidence: [
          domain.pinEvidence,
          Evidence(
            "/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list", "\(first)"),
        ],
        consequence: "work on CPU \(others) takes its share of the cores that the vCPUs are on",
        fix: "pin vCPUs to CPU \(others) as well, or to as many whole cores: "
          + "berth advise \(domain.commandName)")
    ]
  }
}
