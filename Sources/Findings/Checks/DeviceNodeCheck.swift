internal import HostModel

/// Whether functions are on the nodes on which their domain runs.
struct DeviceNodeCheck: DomainCheck {
  static let name = "device-node"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard host.topology.nodes.count > 1 else { return [] }
    let cpuNodes = host.topology.nodes(of: domain.vcpuCPUs)
    let memoryNodes = domain.memoryNodes
    return domain.passedFunctions.compactMap { function in
      guard let node = function.node else { return nil }
      let isNearCPUs = cpuNodes.isEmpty || cpuNodes.contains(node)
      let isNearMemory = memoryNodes.isEmpty || memoryNodes.contains(node)
      if isNearCPUs && isNearMemory { return nil }
      let far = [
        isNearCPUs ? nil : "vCPUs on node \(cpuNodes)",
        isNearMemory ? nil : "memory on node \(memoryNodes)",
      ].compactMap { $0 }.joined(separator: " and ")
      let cpus = host.topology.cpus(of: [node])
      return Finding(
        .warning,
        "\(function.address) is on node \(node), and \(domain.domain.name) has its \(far)",
        evidence: [
          Evidence("/sys/bus/pci/devices/\(function.address)/numa_node", "\(node)"),
          isNearCPUs ? Evidence(domain.file, "memory on node \(memoryNodes)") : domain.pinEvidence,
        ],
        consequence: "each transfer and interrupt crosses the link between the nodes",
        fix: cpus.isEmpty
          ? "put the card into a slot of node \(cpuNodes.isEmpty ? memoryNodes : cpuNodes)"
          : "pin the vCPUs to CPUs of \(cpus) and take the memory from node \(node): "
            + "berth advise \(domain.commandName)")
    }
  }
}
