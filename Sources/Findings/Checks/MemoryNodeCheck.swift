internal import HostModel

/// Whether a domain's memory is where its vCPUs are.
struct MemoryNodeCheck: DomainCheck {
  static let name = "memory-node"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let cpuNodes = host.topology.nodes(of: domain.vcpuCPUs)
    guard host.topology.nodes.count > 1, !cpuNodes.isEmpty else { return [] }
    let memoryNodes = domain.memoryNodes
    if memoryNodes.isEmpty {
      // vCPUs that may run anywhere have no node to be far from.
      if cpuNodes == CPUList(host.topology.nodes.filter { !$0.cpus.isEmpty }.map(\.id)) {
        return []
      }
      return [
        Finding(
          .warning, "the memory of \(domain.domain.name) may come from any node",
          evidence: [domain.pinEvidence, Evidence(domain.file, "no node is named for the memory")],
          consequence: "vCPUs of node \(cpuNodes) may have to fetch it from another one",
          fix: domain.domain.hypervisor == .libvirt
            ? "<numatune><memory mode='strict' nodeset='\(cpuNodes)'/></numatune>"
            : "qm set \(domain.commandName) --numa 1 --numa0 cpus=0-\(max(0, domain.domain.vcpus - 1)),"
              + "hostnodes=\(cpuNodes),memory=\(domain.memoryMiB),policy=bind")
      ]
    }
    let far = memoryNodes.subtracting(cpuNodes)
    guard !far.isEmpty else { return [] }
    return [
      Finding(
        .warning,
        "\(domain.domain.name) has memory on node \(memoryNodes) and vCPUs on node \(cpuNodes)",
        evidence: [domain.pinEvidence, Evidence(domain.file, "memory on node \(memoryNodes)")],
        consequence: "what lies on node \(far) is fetched across the link between the nodes",
        fix:
          "nodeset='\(cpuNodes)' in <numatune> (hostnodes= in Proxmox's numaN), or vCPUs on node "
          + "\(memoryNodes): berth advise \(domain.commandName)")
    ]
  }
}

extension ExaminedDomain {
  var memoryMiB: Int { domain.cells.reduce(0) { $0 + $1.memoryKiB } >> 10 }
}
