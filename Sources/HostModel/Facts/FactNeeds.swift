internal import Bytes

/// What a plan has to know of the host, so that nothing else is read.
///
/// The cost of a hook then grows with what the domain asks for, not with the host.
package struct FactNeeds: Hashable, Sendable {
  /// Nodes, with their memory and pools.
  package var nodes = false
  package var cpus = false
  /// Which CPUs share a core; a file for each CPU has to be read for it.
  package var cores = false
  package var functions: [PCIAddress] = []
  /// The attributes of those functions that are asked for.
  package var functionAttributes: [FunctionAttribute] = []
  /// Text consoles and the framebuffers of the firmware.
  package var displays = false
  /// The names of modules of the kernel.
  package var modules: [String] = []
  package var units = false
  /// Which hierarchy has the cpusets.
  package var cpusets = false
  package var realtimeLimit = false
  /// The domain's QEMU and its threads.
  package var process = false
  /// What the cgroups of vCPUs say of their CPUs.
  package var vcpuGroupCPUs = false
  /// The CPUs that the other QEMUs of the host are pinned to.
  package var otherQEMUs = false
  /// Tasks of the host that are kept to some CPUs.
  package var pinnedTasks = false
  /// The CPUs whose policies of cpufreq are asked for.
  package var frequencyCPUs: CPUList = []
  package var boost = false
  /// The CPUs whose idle states are asked for.
  package var idleCPUs: CPUList = []
  /// The kernel's own threads and its unbound work.
  package var kernelWork = KernelWork.none
  /// Whether core scheduling keeps others off the cores of the domain's QEMU.
  package var coreCookie = false
  /// Every interrupt of the host, which is a folder to look into for each.
  package var interrupts = false
  /// The physical functions of SR-IOV, by PCI address or interface.
  package var physicalFunctions: [String] = []
  /// Virtual functions, by PCI address or `PHYSICAL/NUMBER`.
  package var virtualFunctions: [String] = []
  package var slots: [PCISlot] = []
  package var bars: [BAR] = []
  /// The paths of attributes of the kernel.
  package var attributes: [String] = []
  /// The names of units.
  package var services: [String] = []
  /// The paths of programs.
  package var programs: [String] = []
  /// The UUIDs of mediated devices.
  package var mediatedDevices: [String] = []
  /// Names, UUIDs or vmids of domains.
  package var companions: [String] = []

  /// When the kernel's own threads are looked at, which takes a file for each process.
  package enum KernelWork: Int, Hashable, Sendable {
    case none
    /// Where the domain's CPUs cannot become partitions, which do away with it.
    case unlessPartitioned
    case always
  }

  package init() {}

  package mutating func merge(_ other: FactNeeds) {
    nodes = nodes || other.nodes
    cpus = cpus || other.cpus
    cores = cores || other.cores
    for address in other.functions where !functions.contains(address) { functions.append(address) }
    for attribute in other.functionAttributes where !functionAttributes.contains(attribute) {
      functionAttributes.append(attribute)
    }
    displays = displays || other.displays
    for name in other.modules where !modules.contains(name) { modules.append(name) }
    units = units || other.units
    cpusets = cpusets || other.cpusets
    realtimeLimit = realtimeLimit || other.realtimeLimit
    process = process || other.process
    vcpuGroupCPUs = vcpuGroupCPUs || other.vcpuGroupCPUs
    otherQEMUs = otherQEMUs || other.otherQEMUs
    pinnedTasks = pinnedTasks || other.pinnedTasks
    frequencyCPUs = frequencyCPUs.union(other.frequencyCPUs)
    boost = boost || other.boost
    idleCPUs = idleCPUs.union(other.idleCPUs)
    if other.kernelWork.rawValue > kernelWork.rawValue { kernelWork = other.kernelWork }
    coreCookie = coreCookie || other.coreCookie
    interrupts = interrupts || other.interrupts
    for name in other.physicalFunctions where !physicalFunctions.contains(name) {
      physicalFunctions.append(name)
    }
    for name in other.virtualFunctions where !virtualFunctions.contains(name) {
      virtualFunctions.append(name)
    }
    for slot in other.slots where !slots.contains(slot) { slots.append(slot) }
    for bar in other.bars where !bars.contains(bar) { bars.append(bar) }
    for path in other.attributes where !attributes.contains(path) { attributes.append(path) }
    for name in other.services where !services.contains(name) { services.append(name) }
    for path in other.programs where !programs.contains(path) { programs.append(path) }
    for device in other.mediatedDevices where !mediatedDevices.contains(device) {
      mediatedDevices.append(device)
    }
    for name in other.companions where !companions.contains(where: name.isSame) {
      companions.append(name)
    }
  }
}
