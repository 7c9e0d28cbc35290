internal import HostModel

/// Memory that the domain has now and that is free once it stops.
package struct OwnMemory: Hashable, Sendable {
  package var node: Int
  /// nil for ordinary pages.
  package var pageKiB: Int?
  package var memoryKiB: Int

  package init(node: Int, pageKiB: Int?, memoryKiB: Int) {
    self.node = node
    self.pageKiB = pageKiB
    self.memoryKiB = memoryKiB
  }
}

/// What there is to be had of one node's memory.
struct NodeMemory: Sendable {
  let node: Int
  let totalKiB: Int
  /// In ordinary pages, without taking anything from anybody, less what the host is left.
  let freeKiB: Int
  /// The same, and what the page cache would give up.
  let usableKiB: Int
  /// The free pages of each huge page size that the kernel offers, ascending by size.
  let pools: [(pageKiB: Int, free: Int)]

  init(_ node: TopologyNode, own: [OwnMemory]) {
    self.node = node.id
    totalKiB = node.memoryKiB
    let own = own.filter { $0.node == node.id }
    let ordinary = own.filter { $0.pageKiB == nil }.reduce(0) { $0 + $1.memoryKiB }
    let kept = Self.keptKiB(of: node.memoryKiB)
    freeKiB = max(0, node.freeKiB + ordinary - kept)
    usableKiB = max(0, node.freeKiB + ordinary + node.reclaimableKiB - kept)
    pools = node.pools.map { pool in
      let held = own.filter { $0.pageKiB == pool.pageKiB }.reduce(0) { $0 + $1.memoryKiB }
      return (pool.pageKiB, pool.free + held / pool.pageKiB)
    }
  }

  /// What stays with the host of a node's memory: one part in 32, and 1 GiB at most.
  static func keptKiB(of memoryKiB: Int) -> Int { min(1 << 20, memoryKiB / 32) }

  func free(pageKiB: Int) -> Int { pools.first { $0.pageKiB == pageKiB }?.free ?? 0 }
}
