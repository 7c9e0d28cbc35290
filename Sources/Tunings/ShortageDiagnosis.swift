package import HostModel

/// Says in one line why a pool could not be filled and what to do about it.
package enum ShortageDiagnosis {
  /// The line that a refused start shows: needed, got, node, size, how long, the biggest known
  /// reason, and what to do.
  ///
  /// `host` is what was read of the nodes after the attempt.
  package static func sentence(
    domain: String, pool: HugepagePool, need: Int, got: Int, milliseconds: Int, host: HostFacts
  ) -> String {
    let size = PageSize(kiB: pool.pageKiB)
    let cause = cause(of: pool, missing: need - got, host)
    return "\(domain) needs \(counted(need, "huge page")) of \(size) "
      + "(\(MemorySize(kiB: pool.kibibytes(in: need)))) on node \(pool.node), got \(got) in "
      + "\(Duration(milliseconds)): \(cause.why); \(cause.remedy)"
  }

  private static func cause(
    of pool: HugepagePool, missing: Int, _ host: HostFacts
  ) -> (why: String, remedy: String) {
    guard let node = host.nodes.first(where: { $0.id == pool.node }) else {
      return ("the node is gone", "check which nodes are online")
    }
    let free = MemorySize(kiB: node.freeKiB)
    if node.freeKiB < pool.kibibytes(in: missing) {
      return (
        "only \(free) of the node's \(MemorySize(kiB: node.memoryKiB)) are free",
        "give the domain less memory, or free memory on node \(node.id)"
      )
    }
    let smaller = node.pools.filter { $0.pageKiB < pool.pageKiB && $0.free > 0 }
    if pool.pageKiB >= 1 << 20, let blocking = smaller.first {
      return (
        "\(blocking.free) free \(PageSize(kiB: blocking.pageKiB)) pages lie in the way, and "
          + "kernels before 7.0 do not move them",
        "give those back first, or reserve at boot with hugepagesz=1G hugepages=\(node.id):N"
      )
    }
    if host.hasZFS {
      return (
        "\(free) are free but in pieces, and the cache of ZFS cannot be moved",
        "lower zfs_arc_max, or reserve the pages at boot"
      )
    }
    return (
      "\(free) are free but in pieces that cannot be joined",
      "start the domain sooner after boot, or reserve the pages at boot with hugepages=\(node.id):N"
    )
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
