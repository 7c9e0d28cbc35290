package import Bytes
package import HostModel

extension KernelReader {
  /// Whether the kernel knows nodes; one without NUMA has none, and the whole host is its node 0.
  private var hasNodes: Bool { exists("/sys/devices/system/node/node0") }

  /// Where a pool's numbers are: below its node, or those of the whole host on a kernel without NUMA
  /// (mm/hugetlb_sysfs.c, `hugetlb_register_node()`).
  package func folder(of pool: HugepagePool) -> HostPath {
    let isOfNode = pool.node > 0 || hasNodes
    let owner: HostPath = isOfNode ? "/sys/devices/system/node/node\(pool.node)" : "/sys/kernel/mm"
    return "\(owner)/hugepages/hugepages-\(pool.pageKiB)kB"
  }

  /// What has a node's memory compacted (drivers/base/node.c, `compact_store()`), or all there is on a
  /// kernel without NUMA (mm/compaction.c, `sysctl_compaction_handler()`).
  package func compaction(ofNode node: Int) -> HostPath {
    node > 0 || hasNodes
      ? "/sys/devices/system/node/node\(node)/compact" : "/proc/sys/vm/compact_memory"
  }
}
