package import HostModel

/// A host as a domain finds it that comes in: whole cores that are free, their caches, and memory.
///
/// A core is free where all of its threads are: a core that two domains share is neither's.
package struct Premises: Sendable {
  package let topology: Topology
  package let tenants: [Tenant]
  /// All cores with a CPU that is online, ascending by their first CPU.
  package let cores: [Core]
  /// Groups of cores that share a third-level cache, ascending by their first CPU.
  package let caches: [Cache]
  /// Nodes with a CPU that is online, ascending.
  package let nodes: [Int]
  /// The greatest third-level cache of the host in KiB; 0 where none is known.
  package let largestCacheKiB: Int
  /// Whether the kernel tells of dies, as it does for x86.
  package let hasDies: Bool
  /// Whether the host bridge is AMD's.
  ///
  /// QEMU shows AMD's SMT to a guest only with the CPU feature `topoext`, which `-cpu host` does not
  /// bring along (`no_autoenable_flags` in target/i386/cpu.c).
  package let isAMD: Bool
  /// The CPUs that are neither another domain's nor isolated for somebody else.
  let commonCPUs: CPUList
  /// Whether the kernel was started with cores that are left to VMs.
  let hasSetAside: Bool
  /// Whether the host has cores of several kinds.
  let hasKinds: Bool
  let memory: [NodeMemory]
  /// By the CPU's number; nil for one that is not online.
  private let coreOfCPU: [Int?]

  /// One core.
  package struct Core: Hashable, Sendable {
    /// The threads that are online, ascending.
    package var threads: [Int]
    /// nil where no node has it.
    package var node: Int?
    package var cache: Int
    package var kind: CoreKind?
    package var use: Use
    /// Whether another domain's emulator or iothreads are pinned to it, among other cores.
    package var isOccupied: Bool
    /// Whether the kernel was started to leave it to VMs (`isolcpus=`).
    package var isSetAside: Bool
  }

  /// Who has a core.
  package enum Use: Hashable, Sendable {
    case free
    /// It stays with the host.
    case housekeeping
    /// A domain of this name has vCPUs on it.
    case tenant(String)
    /// A domain of this name has its emulator or its iothreads on it, and hardly any other core.
    case service(String)
    /// The scheduler keeps off it for somebody who is not known.
    case isolated
    /// No node has it, so that nothing is known of its memory.
    case homeless
  }

  /// Cores of one node that share a cache.
  package struct Cache: Hashable, Sendable {
    /// All CPUs that share it, those of other nodes among them.
    package var cpus: CPUList
    /// nil where the kernel does not tell, and where there is none.
    package var kiB: Int?
    package var isReal: Bool
    /// Whether another domain has vCPUs there.
    package var isShared = false
    /// Whether the host keeps a core there.
    package var isHosts = false
  }

  /// A host on which `tenants` are in.
  ///
  /// The CPUs of `own`, which the domain has that is advised, count as free, and so does its memory
  /// in `ownMemory`. `setAside` are the CPUs of `isolcpus=`: they are isolated for whoever asks.
  package init(
    _ topology: Topology, tenants: [Tenant], own: CPUList = [], setAside: CPUList = [],
    ownMemory: [OwnMemory] = []
  ) {
    let topology = topology.plausible
    self.topology = topology
    self.tenants = tenants
    var cores: [Core] = []
    var caches: [Cache] = []
    var coreOfCPU = [Int?](
      repeating: nil, count: (topology.cpus.map(\.id).max() ?? -1) + 1)
    var cacheOfKey: [CacheKey: Int] = [:]
    let online = topology.onlineCPUs
    let isolated = topology.isolatedCPUs.subtracting(own).subtracting(setAside)
    for cpu in topology.cpus where cpu.isOnline && coreOfCPU[cpu.id] == nil {
      let threads = cpu.siblings.union([cpu.id]).filter {
        online.contains($0) && coreOfCPU[$0] == nil
      }
      let key = CacheKey(node: cpu.node, l3: cpu.l3, package: cpu.l3 == nil ? cpu.package : nil)
      let cache = cacheOfKey[key] ?? caches.count
      if cache == caches.count {
        caches.append(Cache(cpus: cpu.l3 ?? [], kiB: cpu.l3KiB, isReal: cpu.l3 != nil))
        cacheOfKey[key] = cache
      }
      if cpu.l3 == nil { for thread in threads { caches[cache].cpus.insert(thread) } }
      for thread in threads { coreOfCPU[thread] = cores.count }
      let list = CPUList(threads)
      var core = Core(
        threads: threads, node: cpu.node, cache: cache, kind: cpu.kind, use: .free,
        isOccupied: false, isSetAside: list.isSubset(of: setAside))
      if !isolated.isDisjoint(with: list) { core.use = .isolated }
      core.take(list, by: tenants)
      if cpu.node == nil { core.use = .homeless }
      cores.append(core)
    }
    let kept = Self.keepHousekeeping(&cores)
    for index in caches.indices {
      let cpus = caches[index].cpus
      caches[index].isHosts =
        kept.map { !cpus.isDisjoint(with: CPUList(cores[$0].threads)) } ?? false
      caches[index].isShared = tenants.contains { !cpus.isDisjoint(with: $0.vcpus) }
    }
    self.cores = cores
    self.caches = caches
    self.coreOfCPU = coreOfCPU
    commonCPUs = CPUList(cores.filter(\.use.isCommon).flatMap(\.threads))
    hasSetAside = cores.contains(where: \.isSetAside)
    hasKinds = cores.contains { $0.kind == .performance }
    nodes = CPUList(cores.compactMap(\.node)).map { $0 }
    largestCacheKiB = caches.compactMap(\.kiB).max() ?? 0
    hasDies = topology.cpus.contains { $0.die != nil }
    isAMD = topology.functions.contains {
      $0.vendor == "0x1022" && $0.classCode.hasPrefix("0x0600")
    }
    memory = topology.nodes.map { NodeMemory($0, own: ownMemory) }
  }

  private struct CacheKey: Hashable {
    var node: Int?
    var l3: CPUList?
    var package: Int?
  }

  /// Leaves the host the core of its first CPU, which the kernel cannot do without; where that is
  /// gone already, the first one that is left.
  private static func keepHousekeeping(_ cores: inout [Core]) -> Int? {
    let mayKeep = { (core: Core) in core.use == .free && !core.isSetAside }
    let first = cores.first.map { $0.use == .free || $0.use == .homeless } ?? false
    let kept = first ? 0 : cores.firstIndex(where: mayKeep) ?? cores.firstIndex { $0.use == .free }
    if let kept { cores[kept].use = .housekeeping }
    return kept
  }

  /// The core that a CPU is in; nil for one that is not online.
  func core(of cpu: Int) -> Int? { coreOfCPU.indices.contains(cpu) ? coreOfCPU[cpu] : nil }

  /// How far a node is from another one, 10 for the node itself; 20 where the kernel does not tell.
  package func distance(from node: Int, to other: Int) -> Int {
    if node == other { return 10 }
    guard let row = topology.nodes.first(where: { $0.id == node })?.distances,
      let column = topology.nodes.firstIndex(where: { $0.id == other }), column < row.count
    else { return 20 }
    return max(10, row[column])
  }

}

extension Premises.Use {
  /// Whether the host's own tasks may run there.
  fileprivate var isCommon: Bool {
    switch self {
    case .free, .housekeeping, .service, .homeless: true
    case .tenant, .isolated: false
    }
  }
}

extension Premises.Core {
  /// Notes whose threads are pinned to the core, which has these CPUs.
  ///
  /// An emulator that may use many cores finds another one; one that has hardly any other does not.
  fileprivate mutating func take(_ cpus: CPUList, by tenants: [Tenant]) {
    if let holder = tenants.first(where: { !$0.vcpus.isDisjoint(with: cpus) }) {
      use = .tenant(holder.name)
      return
    }
    for tenant in tenants where !tenant.service.isDisjoint(with: cpus) {
      isOccupied = true
      if use == .free, tenant.service.count <= 2 * cpus.count { use = .service(tenant.name) }
    }
  }
}

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
