package import HostModel

/// Says in one line why a pool could not be filled, or will not be, and what to do about it.
package enum ShortageDiagnosis {
  /// The line that a refused start shows: needed, got, node, size, how long, the biggest known
  /// reason, and what to do.
  ///
  /// `host` is what was read of the nodes while what was obtained was still held.
  package static func sentence(
    domain: String, pool: HugepagePool, need: Int, got: Int, milliseconds: Int, host: HostFacts
  ) -> String {
    let cause = cause(of: pool, need: need, got: got, isHeld: true, host)
    return "\(domain) needs \(demand(need, of: pool)), got \(got) in "
      + "\(Duration(milliseconds)): \(cause.why); \(cause.remedy)"
  }

  /// The line of a plan for pages that are not to be seen on a host as it is now.
  static func forecast(
    domain: String, pool: HugepagePool, need: Int, got: Int, host: HostFacts
  ) -> String {
    let cause = cause(of: pool, need: need, got: got, isHeld: false, host)
    return "\(domain) needs \(demand(need, of: pool)), and \(got) can be had now: \(cause.why); "
      + cause.remedy
  }

  private static func demand(_ need: Int, of pool: HugepagePool) -> String {
    "\(counted(need, "huge page")) of \(PageSize(kiB: pool.pageKiB)) "
      + "(\(MemorySize(kiB: pool.kibibytes(in: need)))) on node \(pool.node)"
  }

  private static func cause(
    of pool: HugepagePool, need: Int, got: Int, isHeld: Bool, _ host: HostFacts
  ) -> (why: String, remedy: String) {
    guard let node = host.nodes.first(where: { $0.id == pool.node }) else {
      return ("the node is gone", "check which nodes are online")
    }
    // What is held already is not among what is free any more.
    let wanted = isHeld ? need - got : need
    if node.obtainableKiB < pool.kibibytes(in: wanted) {
      let own = isHeld ? pool.kibibytes(in: got) : 0
      return (shortfall(on: node, own: own, host), remedy(pool, got, host))
    }
    let free = MemorySize(kiB: node.obtainableKiB)
    let smaller = node.pools.filter { $0.pageKiB < pool.pageKiB && $0.free > 0 }
    if pool.pageKiB >= 1 << 20, let blocking = smaller.first {
      return (
        "\(blocking.free) free \(PageSize(kiB: blocking.pageKiB)) pages lie in the way, and "
          + "kernels before 7.0 do not move them",
        "give those back first, or reserve at boot with hugepagesz=1G hugepages=\(node.id):\(need)"
      )
    }
    if host.hasZFS {
      return (
        "\(free) are free but in pieces, and the cache of ZFS\(size(ofARC: host)) cannot be moved",
        "lower zfs_arc_max, or reserve the pages at boot"
      )
    }
    return (
      "\(free) are free but in pieces that cannot be joined",
      "start the VM sooner after boot, or reserve the pages at boot with hugepages=\(node.id):\(need)"
    )
  }

  private static func remedy(_ pool: HugepagePool, _ got: Int, _ host: HostFacts) -> String {
    let most = MemorySize(kiB: pool.kibibytes(in: got))
    let less = got > 0 ? "give the VM \(most) there at most" : "give the VM memory of another node"
    return host.arcKiB > 0
      ? "\(less), or lower zfs_arc_max" : "\(less), or free memory on node \(pool.node)"
  }

  private static func size(ofARC host: HostFacts) -> String {
    host.arcKiB > 0 ? " (\(MemorySize(kiB: host.arcKiB)))" : ""
  }
}

// MARK: Who has the memory

extension ShortageDiagnosis {
  /// How much there is, and what has the rest, the greatest first.
  private static func shortfall(on node: NodeFacts, own ownKiB: Int, _ host: HostFacts) -> String {
    let total = MemorySize(kiB: node.memoryKiB)
    let free = MemorySize(kiB: node.freeKiB)
    let cache =
      node.reclaimableKiB >= leastKiB ? " and \(MemorySize(kiB: node.reclaimableKiB)) cached" : ""
    let holders = holders(of: node, own: ownKiB, host)
    return "only \(free) of the node's \(total) are free\(cache)"
      + (holders.isEmpty ? "" : ", as \(holders.joined(separator: ", "))")
  }

  /// What is not worth a word beside huge pages.
  private static let leastKiB = 256 << 10

  private static func holders(of node: NodeFacts, own ownKiB: Int, _ host: HostFacts) -> [String] {
    let pools = node.pools.reduce(0) { $0 &+ HugepagePool.kibibytes(in: $1.total, of: $1.pageKiB) }
    let holders: [(kiB: Int, name: String)] = [
      (pools - ownKiB, "other huge pages have"),
      (node.use.programsKiB, "programs have"),
      (node.use.sharedKiB, "tmpfs and shared memory have"),
      (node.use.kernelKiB, "the kernel has"),
      (host.arcKiB, "the cache of ZFS (ARC) has"),
    ]
    return holders.filter { $0.kiB >= leastKiB }.sorted { $0.kiB > $1.kiB }
      .map { "\($0.name) \(MemorySize(kiB: $0.kiB))" }
  }

  /// A time as people write it: `0.4 s`, `12 s`.
  private struct Duration: CustomStringConvertible {
    var milliseconds: Int

    init(_ milliseconds: Int) { self.milliseconds = milliseconds }

    var description: String {
      milliseconds < 10_000
        ? "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s" : "\(milliseconds / 1000) s"
    }
  }
}
