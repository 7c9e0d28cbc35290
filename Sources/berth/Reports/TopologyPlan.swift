internal import HostModel

/// The floor plan of a host, from which the text and the picture are drawn: nodes, in them groups of
/// cores that share a third-level cache, in them cores.
struct TopologyPlan {
  var title: String
  var guests: [Guest]
  var isolated: CPUList
  var housekeeping: CPUList
  var offline: CPUList
  var nodes: [Node]

  struct Node {
    var title: String
    /// What there is to know of its memory.
    var facts: [String]
    var groups: [Group]
    var functions: [Function]
  }

  struct Group {
    var title: String
    var cores: [[CPU]]
  }

  struct CPU {
    var id: Int
    /// The guest that runs on it; nil for none, and for several.
    var guest: Int?
    var use: Use
  }

  /// What guests do on a CPU.
  enum Use {
    case none
    /// A vCPU of one guest is pinned there.
    case vcpu
    /// Other threads of one guest are.
    case other
    /// Several guests have vCPUs there.
    case shared
  }

  struct Function {
    var address: String
    /// `display 10de:2684`.
    var what: String
    /// `vfio-pci, group 21, x8 of x16`.
    var facts: String
    var isNarrow: Bool
  }

  struct Guest {
    var letter: String
    var name: String
    var facts: String
  }
}

extension TopologyPlan {
  init(_ topology: Topology) {
    let cores = topology.cores.count
    let online = topology.onlineCPUs
    title =
      (topology.kernel.isEmpty ? "" : "Linux \(topology.kernel): ")
      + counted(topology.nodes.count, "node") + ", "
      + counted(cores, "core") + ", " + counted(online.count, "CPU")
    isolated = topology.isolatedCPUs
    housekeeping = online.subtracting(isolated)
    offline = CPUList(topology.cpus.filter { !$0.isOnline }.map(\.id))
    guests = topology.guests.enumerated().map { Guest($0.element, letter: letter($0.offset)) }
    let uses = Self.uses(of: topology)
    nodes = topology.nodes.map { Node($0, topology, uses) }
    let homeless = topology.functions.filter { function in
      !topology.nodes.contains { $0.id == function.node }
    }
    let strays = topology.cpus.filter { $0.isOnline && $0.node == nil }
    if !strays.isEmpty || homeless.contains(where: \.isOfInterest) {
      nodes.append(
        Node(
          title: "of no node", facts: [], groups: Self.groups(of: strays, uses),
          functions: homeless.filter(\.isOfInterest).map(Function.init)))
    }
  }

  /// What is on each CPU that a guest is pinned to.
  private static func uses(of topology: Topology) -> [Int: CPU] {
    let online = topology.onlineCPUs
    var uses: [Int: CPU] = [:]
    for (guest, facts) in topology.guests.enumerated() {
      let vcpus = facts.vcpus.values.filter { !online.isSubset(of: $0) }
      for cpu in vcpus.reduce(CPUList(), { $0.union($1) }) {
        let isShared = uses[cpu]?.use == .vcpu || uses[cpu]?.use == .shared
        uses[cpu] =
          isShared
          ? CPU(id: cpu, guest: nil, use: .shared) : CPU(id: cpu, guest: guest, use: .vcpu)
      }
      let others = Array(facts.iothreads.values) + [facts.emulator ?? []]
      for cpus in others where !online.isSubset(of: cpus) {
        for cpu in cpus where uses[cpu] == nil {
          uses[cpu] = CPU(id: cpu, guest: guest, use: .other)
        }
      }
    }
    return uses
  }

  /// CPUs by the caches that they share, and by their kinds.
  fileprivate static func groups(of cpus: [TopologyCPU], _ uses: [Int: CPU]) -> [Group] {
    var groups: [(key: Key, cpus: [TopologyCPU])] = []
    for cpu in cpus {
      let key = Key(l3: cpu.l3, kind: cpu.kind, package: cpu.package)
      if let index = groups.firstIndex(where: { $0.key == key }) {
        groups[index].cpus.append(cpu)
      } else {
        groups.append((key, [cpu]))
      }
    }
    return groups.map { key, cpus in
      let leaders = cpus.filter { $0.siblings.first == $0.id || $0.siblings.isEmpty }
      let cores = leaders.map { leader in
        leader.siblings.map { uses[$0] ?? CPU(id: $0, guest: nil, use: .none) }
      }
      return Group(title: key.title(kiB: cpus.first?.l3KiB), cores: cores)
    }
  }

  private struct Key: Equatable {
    var l3: CPUList?
    var kind: CoreKind?
    var package: Int?

    func title(kiB: Int?) -> String {
      let cache = l3.map { cpus in
        "L3" + (kiB.map { " \(MemorySize(kiB: $0))" } ?? "") + " of CPUs \(cpus)"
      }
      let parts = [
        package.map { "package \($0)" }, cache ?? "no L3", kind.map { "\($0.rawValue) cores" },
      ]
      return parts.compactMap { $0 }.joined(separator: ", ")
    }
  }
}

extension TopologyPlan.Node {
  fileprivate init(
    _ node: TopologyNode, _ topology: Topology, _ uses: [Int: TopologyPlan.CPU]
  ) {
    title = "node \(node.id)"
    // A record without any meminfo is of a host that has memory all the same.
    let isKnown = topology.nodes.contains { $0.memoryKiB > 0 }
    facts =
      node.memoryKiB > 0
      ? ["\(MemorySize(kiB: node.memoryKiB)), \(MemorySize(kiB: node.freeKiB)) free"]
      : isKnown ? ["no memory"] : []
    for pool in node.pools where pool.total > 0 {
      facts.append(
        "\(counted(pool.total, "page")) of \(PageSize(kiB: pool.pageKiB)), \(pool.free) free")
    }
    if node.cpus.isEmpty { facts.append("no CPUs") }
    if node.distances.count > 1 {
      facts.append("distances " + node.distances.map(String.init).joined(separator: " "))
    }
    groups = TopologyPlan.groups(
      of: topology.cpus.filter { $0.isOnline && $0.node == node.id }, uses)
    functions = topology.functions.filter { $0.node == node.id && $0.isOfInterest }
      .map(TopologyPlan.Function.init)
  }
}

extension TopologyPlan.Function {
  fileprivate init(_ function: TopologyFunction) {
    address = "\(function.address)"
    what = "\(function.kind) \(function.vendor.dropFirst(2)):\(function.device.dropFirst(2))"
    isNarrow = function.link.map { $0.width < $0.maximumWidth } ?? false
    let link = function.link.map { link in
      link.width < link.maximumWidth
        ? "x\(link.width) of x\(link.maximumWidth)" : "x\(link.width)"
    }
    facts = [
      function.driver ?? "no driver", function.iommuGroup.map { "group \($0)" }, link,
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension TopologyPlan.Guest {
  fileprivate init(_ guest: TopologyGuest, letter: String) {
    self.letter = letter
    name = guest.name
    let vcpus = guest.vcpus.sorted { $0.key < $1.key }.map { "\($0.value)" }
    var parts = [counted(vcpus.count, "vCPU")]
    if let cpus = guest.vcpus.values.first, guest.vcpus.values.allSatisfy({ $0 == cpus }) {
      parts[0] += " on \(cpus)"
    } else {
      parts[0] += " on \(vcpus.joined(separator: " "))"
    }
    if let emulator = guest.emulator { parts.append("emulator on \(emulator)") }
    for (number, cpus) in guest.iothreads.sorted(by: { $0.key < $1.key }) {
      parts.append("iothread \(number) on \(cpus)")
    }
    facts = parts.joined(separator: ", ")
  }
}

extension TopologyFunction {
  /// The first byte of the class code, and the first two.
  private var base: Substring { classCode.dropFirst(2).prefix(2) }

  fileprivate var kind: String {
    switch (base, classCode.dropFirst(2).prefix(4)) {
    case (_, "0108"): "NVMe"
    case (_, "0106"): "SATA"
    case (_, "0403"), (_, "0401"): "audio"
    case (_, "0c03"): "USB"
    case ("01", _): "storage"
    case ("02", _): "network"
    case ("03", _): "display"
    case ("12", _): "accelerator"
    default: "class \(classCode.dropFirst(2))"
    }
  }

  /// Whether somebody may want to hand it to a VM, or has done so.
  fileprivate var isOfInterest: Bool {
    let isKnown =
      ["01", "02", "03", "12"].contains(base)
      || ["0403", "0401", "0c03"].contains(classCode.dropFirst(2).prefix(4))
    return isKnown || driver.map(VFIO.isDriver) ?? false
  }
}

/// A, B, …, Z, then a digit.
private func letter(_ index: Int) -> String {
  let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  return index < letters.count ? String(Array(letters)[index]) : "\(index % 10)"
}
