internal import Bytes
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
  /// Whether the CPUs are AMD's; where they do not tell, by the host bridge.
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
  /// in `ownMemory`. `setAside` are the CPUs of `isolcpus=`: they are isolated for whoever asks. The
  /// cores of `hostCPUs` stay with the host; where there are none, the core of its first CPU does.
  package init(
    _ topology: Topology, tenants: [Tenant], own: CPUList = [], setAside: CPUList = [],
    hostCPUs: CPUList = [], ownMemory: [OwnMemory] = []
  ) {
    let topology = topology.plausible
    self.topology = topology
    self.tenants = tenants
    var survey = CoreSurvey(
      tenants: tenants, online: topology.onlineCPUs,
      isolated: topology.isolatedCPUs.subtracting(own).subtracting(setAside), setAside: setAside)
    for cpu in topology.cpus where cpu.isOnline { survey.note(cpu) }
    survey.keepHousekeeping(hostCPUs)
    cores = survey.cores
    caches = survey.caches
    coreOfCPU = survey.coreOfCPU
    commonCPUs = CPUList(cores.filter(\.use.isCommon).flatMap(\.threads))
    hasSetAside = cores.contains(where: \.isSetAside)
    hasKinds = cores.contains { $0.kind == .performance }
    nodes = Array(CPUList(cores.compactMap(\.node)))
    largestCacheKiB = caches.compactMap(\.kiB).max() ?? 0
    hasDies = topology.cpus.contains { $0.die != nil }
    isAMD =
      topology.cpuVendor.map { $0 == .amd }
      ?? topology.functions.contains {
        $0.vendor == "0x1022" && $0.classCode.begins(with: "0x0600")
      }
    memory = topology.nodes.map { NodeMemory($0, own: ownMemory) }
  }

  /// The core that a CPU is in; nil for one that is not online.
  func core(of cpu: Int) -> Int? { coreOfCPU.indices.contains(cpu) ? coreOfCPU[cpu] : nil }

  /// How far a node is from another one, 10 for the node itself; 20 where the kernel does not tell.
  package func distance(from node: Int, to other: Int) -> Int {
    if node == other { return 10 }
    guard let row = topology.nodes.first(where: { $0.id == node })?.distances,
      let column = topology.nodes.firstIndex(where: { $0.id == other }), column < row.count
    else { return 20 }
    return row[column]
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
