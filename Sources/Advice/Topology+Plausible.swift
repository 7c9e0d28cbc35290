internal import HostModel

extension Topology {
  /// The topology without numbers that no host has: a record may hold any, and sums of them must not
  /// trap.
  var plausible: Topology {
    var topology = self
    topology.nodes.removeAll { $0.id >= CPUList.capacity }
    for index in topology.cpus.indices {
      topology.cpus[index].l3KiB = topology.cpus[index].l3KiB.map { min(max($0, 0), 1 << 30) }
      if topology.cpus[index].node ?? 0 >= CPUList.capacity { topology.cpus[index].node = nil }
    }
    for index in topology.nodes.indices { topology.nodes[index].makePlausible() }
    return topology
  }
}

extension TopologyNode {
  /// More memory than 48 bits of addresses reach, many times over.
  private static let mostKiB = 1 << 48

  fileprivate mutating func makePlausible() {
    memoryKiB = min(max(memoryKiB, 0), Self.mostKiB)
    freeKiB = min(max(freeKiB, 0), Self.mostKiB)
    reclaimableKiB = min(max(reclaimableKiB, 0), Self.mostKiB)
    // The kernel's distances are bytes.
    distances = distances.map { min(max($0, 10), 255) }
    pools.removeAll { !(1...Self.mostKiB).contains($0.pageKiB) }
    for index in pools.indices {
      pools[index].free = min(max(pools[index].free, 0), Self.mostKiB / pools[index].pageKiB)
    }
  }
}
