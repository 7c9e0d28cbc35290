internal import Bytes
internal import Formats
package import HostModel
package import Port

/// Reads how a host is built: CPUs, caches, nodes, PCI functions, and the guests on them.
///
/// What the CPUs of a core or a cache have in common is read once, so that a host with 512 CPUs
/// costs little more than its cores.
package struct TopologyReader {
  private let kernel: any KernelReader
  private let facts: FactReader

  package init(kernel: any KernelReader) {
    self.kernel = kernel
    facts = FactReader(kernel: kernel)
  }

  /// - Throws: `ENOENT` and the like where there is no `/sys/devices/system/cpu`.
  package func topology() throws(HostError) -> Topology {
    var topology = Topology()
    topology.kernel = try kernel.wordIfPresent(of: "/proc/sys/kernel/osrelease") ?? ""
    topology.cpuVendor = try kernel.cpuVendor()
    var host = HostFacts()
    try facts.readCPUs(into: &host)
    if host.onlineCPUs.isEmpty {
      throw HostError(
        .read, FactReader.cpus, errno: ErrorNumber.notFound.number,
        diagnosis: "no CPU is there, so that this is no record of a host")
    }
    try facts.readMemory(into: &host)
    for node in host.nodes {
      var distances = node.distances
      if distances.isEmpty {
        distances = try facts.distances(in: "/sys/devices/system/node/node\(node.id)")
      }
      topology.nodes.append(TopologyNode(node, distances: distances))
    }
    topology.cpus = try cpus(online: host.onlineCPUs, of: topology.nodes)
    topology.functions = try functions()
    topology.isolatedCPUs = try isolatedCPUs()
    return topology
  }

  /// The CPUs that `isolcpus=` keeps the scheduler off: somebody wants them for VMs of any kind.
  ///
  /// Flags such as `managed_irq` stand before the list (Documentation/admin-guide/
  /// kernel-parameters.txt); a list that is not one of plain numbers is left alone.
  package func cpusSetAside() throws(HostError) -> CPUList {
    let line = try kernel.wordIfPresent(of: "/proc/cmdline") ?? ""
    guard let word = line.fields(at: " ").last(where: { $0.begins(with: "isolcpus=") }) else {
      return []
    }
    let parts = (word.rest(after: "isolcpus=") ?? "").fields(at: ",")
    let numbers = parts.filter { $0.utf8.first?.isDigit == true }
    return (try? CPUList(parsing: numbers.joined(separator: ","))) ?? []
  }

  /// Memory that holds copies of files, and the kernel's own caches as far as they can shrink: what
  /// `MemAvailable` counts beside `MemFree` (`si_mem_available()` in mm/show_mem.c).
  private func isolatedCPUs() throws(HostError) -> CPUList {
    var isolated = CPUList()
    for path: HostPath in ["/sys/fs/cgroup/cpuset.cpus.isolated", "\(FactReader.cpus)/isolated"] {
      let list = try kernel.ifPresent { () throws(HostError) in try kernel.list(of: path) }
      isolated = isolated.union(list ?? [])
    }
    return isolated
  }
}

extension TopologyReader {
  private func cpus(
    online: CPUList, of nodes: [TopologyNode]
  ) throws(HostError) -> [TopologyCPU] {
    let kinds = try kinds(of: online)
    var cpus: [TopologyCPU] = []
    /// Where in `cpus` the first thread of a CPU's core is.
    var cores: [Int: Int] = [:]
    var caches: [(cpus: CPUList, kiB: Int?)] = []
    var packages = SharedNumber(
      "physical_package_id", of: ["package_cpus_list", "core_siblings_list"])
    var dies = SharedNumber("die_id", of: ["die_cpus_list"])
    for id in try presentCPUs().union(online) {
      var cpu = TopologyCPU(id: id, isOnline: online.contains(id))
      cpu.node = nodes.first { $0.cpus.contains(id) }?.id
      if cpu.isOnline {
        if let core = cores[id] {
          cpu.copyCore(of: cpus[core])
        } else {
          try readCore(of: &cpu, online)
          cpu.package = try number(&packages, of: id)
          cpu.die = try number(&dies, of: id)
          for sibling in cpu.siblings { cores[sibling] = cpus.count }
        }
        if !caches.contains(where: { $0.cpus.contains(id) }) {
          if let cache = try thirdLevelCache(of: id) { caches.append(cache) }
        }
        let cache = caches.first { $0.cpus.contains(id) }
        cpu.l3 = cache?.cpus.intersection(online)
        cpu.l3KiB = cache?.kiB
        cpu.kind = kinds[id]
      }
      cpus.append(cpu)
    }
    return cpus
  }

  private func presentCPUs() throws(HostError) -> CPUList {
    let path: HostPath = "\(FactReader.cpus)/present"
    if let list = try kernel.ifPresent({ () throws(HostError) in try kernel.list(of: path) }) {
      return list
    }
    let numbers = try kernel.entriesIfPresent(of: FactReader.cpus)
      .compactMap { Quantity.cpu.number(in: $0, after: "cpu") }
    return CPUList(numbers)
  }

  private func readCore(of cpu: inout TopologyCPU, _ online: CPUList) throws(HostError) {
    let topology: HostPath = "\(FactReader.cpus)/cpu\(cpu.id)/topology"
    let siblings = try kernel.listIfPresent(
      of: "\(topology)/thread_siblings_list", orMask: "\(topology)/thread_siblings")
    cpu.siblings = (siblings ?? []).union([cpu.id]).intersection(online)
    cpu.core = try number("\(topology)/core_id")
  }

  /// A number that CPUs have in common, with those that were found to have it.
  private struct SharedNumber {
    let name: String
    /// The files that list who has it; the first that is there is asked from then on.
    var lists: [String]
    var known: [(cpus: CPUList, number: Int?)] = []

    init(_ name: String, of lists: [String]) {
      self.name = name
      self.lists = lists
    }
  }

  /// The number of a CPU, read once for all that share it where the kernel says who does.
  private func number(_ shared: inout SharedNumber, of cpu: Int) throws(HostError) -> Int? {
    if let known = shared.known.first(where: { $0.cpus.contains(cpu) }) { return known.number }
    let topology: HostPath = "\(FactReader.cpus)/cpu\(cpu)/topology"
    let number = try number("\(topology)/\(shared.name)")
    while let list = shared.lists.first {
      let cpus = try kernel.ifPresent { () throws(HostError) in
        try kernel.list(of: "\(topology)/\(list)")
      }
      if let cpus, cpus.contains(cpu) {
        shared.known.append((cpus, number))
        break
      }
      // A kernel that does not tell it of one tells it of none.
      shared.lists.removeFirst()
    }
    return number
  }

  /// A number of the topology; nil where the kernel does not know it, which it writes as -1.
  private func number(_ path: HostPath) throws(HostError) -> Int? {
    let number = try kernel.ifPresent { () throws(HostError) in
      try kernel.number(of: path, as: .integer)
    }
    return number.flatMap { $0 >= 0 ? $0 : nil }
  }

  private func thirdLevelCache(of cpu: Int) throws(HostError) -> (cpus: CPUList, kiB: Int?)? {
    let caches: HostPath = "\(FactReader.cpus)/cpu\(cpu)/cache"
    // Of the usual four it is the last one.
    for index in try kernel.entriesIfPresent(of: caches).reversed()
    where index.begins(with: "index") {
      let level = try kernel.wordIfPresent(of: "\(caches)/\(index)/level")
      guard level == "3" || level == nil && index == "index3" else { continue }
      let shared: HostPath = "\(caches)/\(index)/shared_cpu_"
      let list = try kernel.listIfPresent(of: "\(shared)list", orMask: "\(shared)map")
      // Old kernels of Itanium say nothing of who shares it where nobody does.
      guard let told = list, case let list = told.isEmpty ? [cpu] : told, list.contains(cpu) else {
        return nil
      }
      let size = try kernel.wordIfPresent(of: "\(caches)/\(index)/size") ?? ""
      return (list, size.rest(before: "K").flatMap { Quantity.kibibytes.number($0) })
    }
    return nil
  }

  /// The kinds of cores, where the host has more than one.
  ///
  /// Intel's hybrids have a counter device for each kind (Documentation/arch/x86, `cpu_core` and
  /// `cpu_atom`); Arm tells how much each CPU can do (`cpu_capacity`, 1024 for the greatest).
  private func kinds(of online: CPUList) throws(HostError) -> [Int: CoreKind] {
    var kinds: [Int: CoreKind] = [:]
    for (name, kind) in [("cpu_core", CoreKind.performance), ("cpu_atom", .efficiency)] {
      let path: HostPath = "/sys/devices/\(name)/cpus"
      let list = try kernel.ifPresent { () throws(HostError) in try kernel.list(of: path) }
      for cpu in list ?? [] { kinds[cpu] = kind }
    }
    if !kinds.isEmpty { return kinds }
    var capacities: [(cpu: Int, capacity: Int)] = []
    for cpu in online {
      // A host whose first CPU does not tell has none that does.
      guard let capacity = try number("\(FactReader.cpus)/cpu\(cpu)/cpu_capacity") else { break }
      capacities.append((cpu, capacity))
    }
    guard let most = capacities.map(\.capacity).max(),
      capacities.contains(where: { $0.capacity != most })
    else { return [:] }
    for (cpu, capacity) in capacities {
      kinds[cpu] = capacity == most ? .performance : .efficiency
    }
    return kinds
  }
}

extension TopologyCPU {
  fileprivate mutating func copyCore(of sibling: TopologyCPU) {
    siblings = sibling.siblings
    core = sibling.core
    package = sibling.package
    die = sibling.die
  }
}

extension TopologyReader {
  private func functions() throws(HostError) -> [TopologyFunction] {
    let devices: HostPath = "/sys/bus/pci/devices"
    let addresses = try kernel.entriesIfPresent(of: devices).compactMap { PCIAddress($0) }
    var functions: [TopologyFunction] = []
    for address in addresses.sorted() {
      let device: HostPath = "\(devices)/\(address)"
      var function = TopologyFunction(
        address: address, vendor: try kernel.wordIfPresent(of: "\(device)/vendor") ?? "",
        device: try kernel.wordIfPresent(of: "\(device)/device") ?? "",
        classCode: try kernel.wordIfPresent(of: "\(device)/class") ?? "")
      function.node = try number("\(device)/numa_node")
      function.iommuGroup = try kernel.target(of: "\(device)/iommu_group").flatMap { Int($0) }
      function.driver = try kernel.target(of: "\(device)/driver")
      function.link = try facts.link(of: device)
      functions.append(function)
    }
    return functions
  }
}
