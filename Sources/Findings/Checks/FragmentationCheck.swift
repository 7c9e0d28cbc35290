internal import HostModel

/// Whether a node's free memory is in pieces that are large enough for the huge pages that a domain
/// will want.
struct FragmentationCheck: DomainCheck {
  static let name = "fragmentation"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard !domain.isRunning else { return [] }
    var sizes = domain.hugepageSizes.map { $0 == 0 ? host.defaultPageKiB : $0 }
    sizes = sizes.filter { $0 > 0 }
    return sizes.flatMap { size in
      host.topology.nodes.compactMap { finding(domain, size, $0, host) }
    }
  }

  private func finding(
    _ domain: ExaminedDomain, _ size: Int, _ node: TopologyNode, _ host: ExaminedHost
  ) -> Finding? {
    let need = domain.pages(of: size, on: node.id, default: host.defaultPageKiB)
    let free = node.pools.first { $0.pageKiB == size }?.free ?? 0
    guard need > free else { return nil }
    let pool =
      "/sys/devices/system/node/node\(node.id)/hugepages/hugepages-\(size)kB/free_hugepages"
    if size >= 1 << 20 {
      return Finding(
        .warning,
        "\(domain.domain.name) wants \(counted(need - free, "page")) of \(PageSize(kiB: size)) that "
          + "\(need - free == 1 ? "is" : "are") not reserved",
        evidence: [Evidence(domain.file, "\(need) on node \(node.id)"), Evidence(pool, "\(free)")],
        consequence: "a host that has run for a while may have no such piece of memory left",
        fix: "boot with hugepagesz=\(size >> 20)G hugepages=\(node.id):\(need)")
    }
    guard let blocks = host.installation.freeBlocks[node.id] else { return nil }
    let pieces = blocks * 2048 / size
    guard pieces < need - free else { return nil }
    return Finding(
      .note,
      "node \(node.id) has \(pieces) pieces of \(PageSize(kiB: size)) free, and "
        + "\(domain.domain.name) wants \(need - free)",
      evidence: [
        Evidence("/proc/buddyinfo", "\(pieces) on node \(node.id)"), Evidence(pool, "\(free)"),
      ],
      consequence: "its start has to compact memory first, and may find too little",
      fix: "memory.compact = \"always\" in its policy, or reserve at boot: "
        + "hugepages=\(node.id):\(need)")
  }
}
