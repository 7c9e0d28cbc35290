internal import Bytes

/// A host's CPUs, memory and PCI functions, and how near they are to each other.
package struct Topology: Hashable, Sendable {
  /// `uname -r`.
  package var kernel = ""
  /// nil where it is neither of those that are told apart.
  package var cpuVendor: CPUVendor?
  /// Every CPU that is there, online or not, ascending.
  package var cpus: [TopologyCPU] = []
  /// Ascending; a kernel without NUMA has node 0.
  package var nodes: [TopologyNode] = []
  /// Ascending.
  package var functions: [TopologyFunction] = []
  /// CPUs that the scheduler leaves alone: of isolated partitions, and of `isolcpus=`.
  package var isolatedCPUs: CPUList = []
  /// What runs there, in the order of the names.
  package var guests: [TopologyGuest] = []

  package init() {}
}

/// Who made the CPUs, by the name that they call themselves.
package enum CPUVendor: String, Hashable, Sendable {
  case intel = "GenuineIntel"
  case amd = "AuthenticAMD"
  case hygon = "HygonGenuine"
}

/// One CPU.
///
/// Of one that is offline the kernel tells nothing but that it is there.
package struct TopologyCPU: Hashable, Sendable {
  package var id: Int
  package var isOnline: Bool
  /// `core_id`: unique within a die, or a package, and with gaps.
  package var core: Int?
  /// nil where the kernel tells of no dies.
  package var die: Int?
  package var package: Int?
  /// nil where no node has it.
  package var node: Int?
  /// The CPUs that share its third-level cache; nil where it has none.
  package var l3: CPUList?
  package var l3KiB: Int?
  /// The threads of its core, itself among them.
  package var siblings: CPUList
  /// nil where all cores of the host are of one kind.
  package var kind: CoreKind?

  package init(id: Int, isOnline: Bool) {
    self.id = id
    self.isOnline = isOnline
    siblings = [id]
  }
}

/// The kinds of cores that one host may mix.
package enum CoreKind: String, Hashable, Sendable {
  case performance
  case efficiency
}

/// One NUMA node.
package struct TopologyNode: Hashable, Sendable {
  package var id: Int
  package var cpus: CPUList
  package var memoryKiB: Int
  package var freeKiB: Int
  /// What the page cache and other caches of the kernel's would give up; 0 where the kernel does not
  /// tell.
  package var reclaimableKiB: Int
  /// To each node, in their order, 10 for the node itself; empty where the kernel does not tell.
  package var distances: [Int]
  package var pools: [PoolFacts]

  package init(_ facts: NodeFacts, distances: [Int]) {
    id = facts.id
    cpus = facts.cpus
    memoryKiB = facts.memoryKiB
    freeKiB = facts.freeKiB
    pools = facts.pools
    self.distances = distances
    reclaimableKiB = facts.reclaimableKiB
  }
}

/// One PCI function.
package struct TopologyFunction: Hashable, Sendable {
  package var address: PCIAddress
  /// nil where the firmware does not tell.
  package var node: Int?
  package var iommuGroup: Int?
  package var driver: String?
  /// As sysfs writes them: `0x10de`.
  package var vendor: String
  package var device: String
  /// As sysfs writes it: `0x030000`.
  package var classCode: String
  /// nil where the function has no PCI Express link.
  package var link: LinkFacts?

  package init(address: PCIAddress, vendor: String, device: String, classCode: String) {
    self.address = address
    self.vendor = vendor
    self.device = device
    self.classCode = classCode
  }
}

/// A domain that runs, by what its threads may use.
package struct TopologyGuest: Hashable, Sendable {
  package var hypervisor: Hypervisor
  /// libvirt's name of it, or Proxmox's number.
  package var name: String
  /// By the numbers of the vCPUs.
  package var vcpus: [Int: CPUList]
  package var iothreads: [Int: CPUList]
  package var emulator: CPUList?

  package init(
    name: String, vcpus: [Int: CPUList] = [:], iothreads: [Int: CPUList] = [:],
    emulator: CPUList? = nil, hypervisor: Hypervisor = .libvirt
  ) {
    self.hypervisor = hypervisor
    self.name = name
    self.vcpus = vcpus
    self.iothreads = iothreads
    self.emulator = emulator
  }
}

extension TopologyGuest {
  /// Whether it is the VM of a hypervisor's with this name, and this UUID or vmid.
  package func isFor(_ hypervisor: Hypervisor, id: String?, name: String) -> Bool {
    guard hypervisor == self.hypervisor else { return false }
    return self.name.isSame(as: hypervisor == .proxmox ? id ?? "" : name)
  }
}

extension Topology {
  package var onlineCPUs: CPUList { CPUList(cpus.filter(\.isOnline).map(\.id)) }

  /// The cores that are online, as their threads, ascending by their first one.
  package var cores: [CPUList] {
    cpus.filter { $0.isOnline && $0.siblings.first == $0.id }.map(\.siblings)
  }
}
