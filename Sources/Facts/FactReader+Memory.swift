internal import Bytes
internal import Formats
package import HostModel
internal import Port

extension FactReader {
  private static let nodes: HostPath = "/sys/devices/system/node"
  private static let pools: HostPath = "/sys/kernel/mm/hugepages"

  func readMemory(into facts: inout HostFacts) throws(HostError) {
    let host = MemoryInfo(try kernel.wordIfPresent(of: "/proc/meminfo") ?? "")
    facts.defaultHugepageKiB = host["Hugepagesize"]
    for _ in 0..<Self.looks {
      try readPools(of: host, into: &facts)
      if facts.hasWholePools { break }
    }
    // The facts that dropping caches turns on: see `HostFacts.hasZFS`.
    facts.hasZFS = kernel.exists("/sys/module/zfs") || kernel.exists("/proc/spl")
    if facts.hasZFS { facts.arcKiB = try arcKiB() }
  }

  /// The size of the cache of ZFS: a line `size 4 BYTES` (module/zfs/arc.c, `arc_kstats`).
  private func arcKiB() throws(HostError) -> Int {
    let text = try kernel.wordIfPresent(of: "/proc/spl/kstat/zfs/arcstats") ?? ""
    for line in text.fields(at: "\n") where line.begins(with: "size ") {
      let bytes = line.fields(at: " ").last.flatMap { Int($0) } ?? 0
      return min(max(0, bytes) / 1024, Quantity.kibibytes.range.upperBound)
    }
    return 0
  }

  /// The facts of the nodes and their pools alone, to count pages again.
  package func memoryFacts() throws(HostError) -> HostFacts {
    var facts = HostFacts()
    try readMemory(into: &facts)
    return facts
  }

  /// How often pools are read that somebody changes in between.
  private static let looks = 3

  private func readPools(of host: MemoryInfo, into facts: inout HostFacts) throws(HostError) {
    facts.hugepageSizes = try hugepageSizes()
    facts.nodes = try nodes()
    if facts.nodes.isEmpty {
      // A kernel without NUMA has no `node/` at all: the whole host is its node 0.
      facts.nodes = [
        try node(0, cpus: facts.onlineCPUs, memory: host, pools: Self.pools)
      ]
    }
  }

  private func nodes() throws(HostError) -> [NodeFacts] {
    // Nodes may be numbered with gaps, and names sort `node10` before `node2`.
    let numbers = try kernel.entriesIfPresent(of: Self.nodes)
      .compactMap { Quantity.node.number(in: $0, after: "node") }.sorted()
    var nodes: [NodeFacts] = []
    for number in numbers {
      let directory: HostPath = "\(Self.nodes)/node\(number)"
      let memory = MemoryInfo(try kernel.wordIfPresent(of: "\(directory)/meminfo") ?? "")
      let cpus = try nodeCPUs(in: directory)
      var node = try node(number, cpus: cpus, memory: memory, pools: "\(directory)/hugepages")
      // Between two nodes there is nothing to choose.
      if numbers.count > 2 { node.distances = try distances(in: directory) }
      nodes.append(node)
    }
    return nodes
  }

  func distances(in directory: HostPath) throws(HostError) -> [Int] {
    let text = try kernel.wordIfPresent(of: "\(directory)/distance") ?? ""
    return text.fields(at: " ").compactMap { Int($0) }
  }

  private func nodeCPUs(in directory: HostPath) throws(HostError) -> CPUList {
    // Kernels before 2.6.25 and some records of them have the mask only.
    try kernel.listIfPresent(of: "\(directory)/cpulist", orMask: "\(directory)/cpumap") ?? []
  }

  private func node(
    _ number: Int, cpus: CPUList, memory: MemoryInfo, pools: HostPath
  ) throws(HostError) -> NodeFacts {
    var node = NodeFacts(id: number)
    node.cpus = cpus
    node.memoryKiB = memory["MemTotal"] ?? 0
    node.freeKiB = memory["MemFree"] ?? 0
    node.reclaimableKiB = memory.reclaimableKiB
    node.use = memory.use
    for pageKiB in try pageSizes(in: pools) {
      let pool: HostPath = "\(pools)/hugepages-\(pageKiB)kB"
      node.pools.append(
        PoolFacts(
          pageKiB: pageKiB,
          total: try kernel.number(of: "\(pool)/nr_hugepages", as: .pages),
          free: try kernel.number(of: "\(pool)/free_hugepages", as: .pages),
          surplus: try kernel.number(of: "\(pool)/surplus_hugepages", as: .pages)))
    }
    return node
  }

  private func hugepageSizes() throws(HostError) -> [HugepageSizeFacts] {
    var sizes: [HugepageSizeFacts] = []
    for pageKiB in try pageSizes() {
      let pool: HostPath = "\(Self.pools)/hugepages-\(pageKiB)kB"
      sizes.append(
        HugepageSizeFacts(
          pageKiB: pageKiB,
          free: try kernel.number(of: "\(pool)/free_hugepages", as: .pages),
          reserved: try kernel.counter(of: "\(pool)/resv_hugepages", as: .pages)))
    }
    return sizes
  }

  /// The huge page sizes of the kernel in KiB, ascending.
  func pageSizes() throws(HostError) -> [Int] { try pageSizes(in: Self.pools) }

  private func pageSizes(in directory: HostPath) throws(HostError) -> [Int] {
    try kernel.entriesIfPresent(of: directory).compactMap { name in
      name.rest(before: "kB").flatMap {
        Quantity.pageKibibytes.number(in: String($0), after: "hugepages-")
      }
    }.sorted()
  }
}

extension HostFacts {
  /// Whether all that was read of huge pages was there at one moment: the kernel counts the free pages
  /// of each node and of the host together (mm/hugetlb.c, `enqueue_hugetlb_folio()`).
  fileprivate var hasWholePools: Bool {
    hugepageSizes.allSatisfy { size in
      let free = nodes.flatMap(\.pools).filter { $0.pageKiB == size.pageKiB }.map(\.free)
      return free.reduce(0, &+) == size.free
    }
  }
}

extension MemoryInfo {
  /// What the kernel gives up where memory is wanted, and counts as such (mm/page_alloc.c,
  /// `si_mem_available()`).
  fileprivate var reclaimableKiB: Int {
    let slabs = self["KReclaimable"] ?? self["SReclaimable"]
    return [self["Active(file)"], self["Inactive(file)"], slabs].reduce(0) { $0 &+ ($1 ?? 0) }
  }

  /// What has it for good.
  fileprivate var use: MemoryUse {
    var use = MemoryUse()
    use.programsKiB = self["AnonPages"] ?? 0
    use.sharedKiB = self["Shmem"] ?? 0
    use.kernelKiB = ["SUnreclaim", "KernelStack", "PageTables"].reduce(0) { $0 &+ (self[$1] ?? 0) }
    return use
  }
}
