/// What was read of a host before a plan is made: all that a tuning may look at.
///
/// Only what somebody asked for by `FactNeeds` is filled in; the rest keeps its empty value.
package struct HostFacts: Hashable, Sendable {
  package var kernel = KernelVersion(major: 0, minor: 0)
  /// `/sys/devices/system/cpu/possible`: what “all CPUs” means to systemd.
  package var possibleCPUs: CPUList = []
  package var onlineCPUs: CPUList = []
  /// The SMT siblings of each core, ascending by their first CPU.
  package var cores: [CPUList] = []
  package var nodes: [NodeFacts] = []
  /// One for each huge page size of the kernel, ascending.
  package var hugepageSizes: [HugepageSizeFacts] = []
  /// `Hugepagesize:` of `/proc/meminfo`; nil where the kernel has no huge pages.
  package var defaultHugepageKiB: Int?
  package var functions: [FunctionFacts] = []
  package var displays = DisplayFacts()
  /// One for each module that was asked for.
  package var modules: [ModuleFacts] = []
  /// Whether the ZFS module is loaded: dropping caches can then crash the host.
  package var hasZFS = false
  /// What ZFS caches (ARC), in KiB: it gives that up slowly, and nothing of it can be moved.
  package var arcKiB = 0
  /// The units that hold all tasks but the domain's own, in the order in which they are to be confined.
  package var units: [UnitFacts] = []
  /// Cgroups that hold tasks and are not systemd's, such as `lxc`, under the cgroup mount.
  package var unmanagedGroups: [String] = []
  /// Which cpusets the host has.
  package var cpusets = CpusetHierarchy.unified
  /// Whether the kernel lets a cgroup anywhere name CPUs of its own (`cpuset.cpus.exclusive`), as far as
  /// the groups tell that have a cpuset.
  package var hasExclusiveCPUs = true
  /// The CPUs that partitions have taken from everybody else.
  package var partitionedCPUs: CPUList = []
  /// `kernel.sched_rt_runtime_us`; -1 for no limit.
  package var realtimeRuntimeMicroseconds: Int?
  /// The domain's QEMU; nil before it runs.
  package var process: QEMUFacts?
  /// Tasks that are kept to some CPUs and that the kernel forgets about when it moves them, in the
  /// order of their numbers.
  package var pinnedTasks: [HostThread] = []
  /// The policies of cpufreq of the CPUs that were asked for.
  package var frequencies: [FrequencyFacts] = []
  /// nil where the host cannot switch frequencies above the base frequency on and off.
  package var boost: BoostFacts?
  /// One for each CPU that was asked for.
  package var idleStates: [IdleFacts] = []
  /// One for each path that was asked for.
  package var attributes: [AttributeFacts] = []
  package var interrupts = InterruptsFacts()
  /// Why tasks and interrupts of others could not be read; the facts are without them.
  package var skipped: [String] = []
  /// One for each unit that was asked for.
  package var services: [ServiceFacts] = []
  /// The units that this program runs in, where units were asked for.
  package var ownUnits: [String] = []
  /// One for each program that was asked for.
  package var programs: [ProgramFacts] = []
  /// Those of the domains that were asked for that run.
  package var companions: [CompanionFacts] = []
  /// The services that have stopped other domains and are to start them again.
  package var askedServices: [OwnService] = []
  /// The functions whose driver the ledger has an original of: what they are bound to now is some
  /// domain's doing.
  package var takenFunctions: Set<PCIAddress> = []
  /// What the domain that is planned for has claimed already.
  package var claimed: [Setting] = []
  /// The physical functions that were asked for and can have virtual ones.
  package var physicalFunctions: [PhysicalFunctionFacts] = []
  /// The virtual functions that were asked for and are there.
  package var virtualFunctions: [VirtualFunctionFacts] = []
  /// One for each slot that was asked for.
  package var slots: [SlotFacts] = []
  /// The BARs that were asked for and are there.
  package var bars: [BARFacts] = []
  /// The processes that hold a VFIO device, each as a phrase; read with slots only.
  package var vfioUsers: [String] = []
  package var kernelWork = KernelWorkFacts()
  /// Those of the mediated devices that were asked for that are not there.
  package var absentMediatedDevices: [String] = []
  /// The domains that are in, other than the one planned for, in the order in which they came; and those
  /// that run without Berth, where QEMUs were asked for.
  package var neighbours: [Neighbour] = []
  /// The QEMUs that run besides the domain's own, where they were asked for.
  package var otherQEMUs: [PinnedQEMU] = []

  package init() {}
}

/// The first two numbers of a kernel's release.
package struct KernelVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  package var major: Int
  package var minor: Int

  package init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  package static func < (left: KernelVersion, right: KernelVersion) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }

  package var description: String { "\(major).\(minor)" }
}

/// Which hierarchy of cgroups a host has its cpusets in.
package enum CpusetHierarchy: Hashable, Sendable {
  /// That of cgroup v2.
  case unified
  /// One of cgroup v1, as on hosts with v1 alone and on hybrid ones: it has no partitions, and systemd
  /// keeps no list of CPUs there (systemd.resource-control(5), “AllowedCPUs=”).
  case legacy
}

/// One NUMA node.
package struct NodeFacts: Hashable, Sendable {
  package var id: Int
  package var cpus: CPUList = []
  package var memoryKiB = 0
  package var freeKiB = 0
  /// The memory that the kernel's caches take, and give up where it is wanted for more.
  package var reclaimableKiB = 0
  package var use = MemoryUse()
  /// The distances to all nodes, in their order (`distance`); 10 is none.
  package var distances: [Int] = []
  /// One for each huge page size, ascending.
  package var pools: [PoolFacts] = []

  package init(id: Int) { self.id = id }
}

/// The huge pages of one size on one node.
package struct PoolFacts: Hashable, Sendable {
  package var pageKiB: Int
  /// `nr_hugepages`: persistent and surplus pages together.
  package var total: Int
  package var free: Int
  package var surplus: Int
  /// The surplus pages that no domain of the ledger uses, such as those of a VM that Proxmox runs
  /// without a hook: a pool that grows makes them persistent before it allocates any page.
  package var foreignSurplus: Int

  package init(pageKiB: Int, total: Int, free: Int, surplus: Int) {
    self.pageKiB = pageKiB
    self.total = total
    self.free = free
    self.surplus = surplus
    foreignSurplus = surplus
  }
}

/// The huge pages of one size on the whole host.
package struct HugepageSizeFacts: Hashable, Sendable {
  package var pageKiB: Int
  package var free: Int
  /// Free pages that somebody has mapped and not yet touched; the kernel counts them only here.
  package var reserved: Int

  package init(pageKiB: Int, free: Int, reserved: Int) {
    self.pageKiB = pageKiB
    self.free = free
    self.reserved = reserved
  }
}

/// One PCI function.
package struct FunctionFacts: Hashable, Sendable {
  package var address: PCIAddress
  package var binding: DriverBinding
  /// The 24-bit class code, such as 0x030000.
  package var classCode = 0
  /// Whether a bus is behind the function, whatever its class says (header type 1 or 2).
  package var leadsToBus = false
  package var node: Int?
  /// nil where the function is in no IOMMU group.
  package var iommuGroup: Int?
  /// The other functions of the IOMMU group.
  package var groupSiblings: [GroupSibling] = []
  /// How the host visibly uses the function.
  package var hostUses: [HostUse] = []
  /// The processes that have a device file of the function open.
  package var users: [DeviceUser] = []
  /// Whether the firmware showed its messages on the function (`boot_vga`).
  package var isBootDisplay = false
  /// Whether the function's own driver has made a framebuffer, which text consoles may be on.
  package var hasFramebuffer = false
  /// nil where the function is not behind a link, or the kernel does not tell.
  package var link: LinkFacts?
  /// What the attributes hold that were asked for and are there.
  package var attributes: [FunctionAttribute: String] = [:]

  package init(address: PCIAddress, binding: DriverBinding) {
    self.address = address
    self.binding = binding
  }
}

extension FunctionFacts {
  /// Whether the host's bus goes through the function, with all that is behind it.
  package var isBridge: Bool { leadsToBus || PCIClass.isBridge(classCode) }
}

/// The class codes of PCI functions, of 24 bits (include/linux/pci_ids.h).
package enum PCIClass {
  /// Whether a class is that of bridges of the host's own.
  ///
  /// The switches that are handed to VMs are “other” bridges (0x0680), with nothing behind them.
  package static func isBridge(_ code: Int) -> Bool { code >> 16 == 0x06 && code >> 8 != 0x0680 }

  /// Whether disks or interfaces may be behind a function: storage, network, slots for memory cards,
  /// FireWire, USB, Fibre Channel and InfiniBand.
  package static func mayBeUsed(_ code: Int) -> Bool {
    [0x01, 0x02].contains(code >> 16)
      || [0x0805, 0x0C00, 0x0C03, 0x0C04, 0x0C06].contains(code >> 8)
  }

  /// Whether keyboards and mice may be behind a function.
  package static func isUSBController(_ code: Int) -> Bool { code >> 8 == 0x0C03 }
}

/// One way in which the host visibly uses a PCI function.
package struct HostUse: Hashable, Sendable, CustomStringConvertible {
  /// What the host loses with the function.
  package enum Weight: Int, Hashable, Sendable, Comparable {
    /// What people at the host work with, and hand over knowingly: its keyboard.
    case convenience
    /// What the host can do without.
    case service
    /// Data, or its way to the network.
    case vital

    package static func < (left: Weight, right: Weight) -> Bool { left.rawValue < right.rawValue }
  }

  /// Such as “mounted at /srv (nvme0n1p1)”.
  package var description: String
  package var weight: Weight

  package init(_ description: String, _ weight: Weight = .vital) {
    self.description = description
    self.weight = weight
  }

  package var isVital: Bool { weight == .vital }
}

extension [HostUse] {
  /// The uses that are to keep a function with the host where Berth is the one to take it.
  package var inTheWay: [HostUse] { filter { $0.weight > .convenience } }

  /// The uses as parts of one sentence.
  package var listed: String { map(\.description).joined(separator: ", ") }
}

/// A function that shares an IOMMU group with another.
package struct GroupSibling: Hashable, Sendable {
  package var address: PCIAddress
  package var binding: DriverBinding
  /// How the host visibly uses it.
  package var hostUses: [HostUse] = []

  package var driver: String? { binding.driver }

  package init(address: PCIAddress, driver: String?) {
    self.init(address: address, binding: DriverBinding(driver: driver, override: nil))
  }

  package init(address: PCIAddress, binding: DriverBinding) {
    self.address = address
    self.binding = binding
  }
}

/// A systemd unit that holds tasks of the host.
package struct UnitFacts: Hashable, Sendable {
  /// Where it is below the cgroup mount: `system.slice`, `qemu.slice/101.scope`.
  package var name: String

  package init(name: String) { self.name = name }
}

/// A domain that is in, beside the one that is planned for.
package struct Neighbour: Hashable, Sendable {
  package var holder: HolderID
  package var name: String
  package var vcpuCPUs: CPUList
  /// Those that the host's own tasks are kept off, or may be soon.
  package var isolatedCPUs: CPUList
  /// What the threads of its QEMU that are no vCPUs are pinned to, each list once.
  package var otherPins: [CPUList] = []
  /// Whether it gives back CPUs that it has to itself for another one's start.
  package var yields = false
  /// Huge pages that the domain will take and has not taken yet, as its QEMU does not run.
  package var pendingPages: [PendingPages]
  /// The huge pages of all sizes and nodes that its QEMU has taken already; nil where none runs, where
  /// the kernel does not tell, or no pages are pending.
  package var takenKiB: Int?

  package init(
    holder: HolderID, name: String, vcpuCPUs: CPUList, pendingPages: [PendingPages] = []
  ) {
    self.holder = holder
    self.name = name
    self.vcpuCPUs = vcpuCPUs
    isolatedCPUs = vcpuCPUs
    self.pendingPages = pendingPages
  }

  /// What is nobody else's to have: the CPUs of its vCPUs, and those that others are kept off.
  package var ownCPUs: CPUList { vcpuCPUs.union(isolatedCPUs) }
}

/// Huge pages of one pool that a domain on its way in counts on.
package struct PendingPages: Hashable, Sendable {
  package var pool: HugepagePool
  /// How many pages the domain will take.
  package var need: Int
  /// How many of them are still to be obtained.
  package var outstanding: Int

  package init(pool: HugepagePool, need: Int, outstanding: Int) {
    self.pool = pool
    self.need = need
    self.outstanding = outstanding
  }
}
