internal import HostModel

/// The nodes of a host in the order in which a domain's memory is to be on them where nothing binds it.
struct HomeNodes {
  private let host: HostFacts
  /// Those with CPUs and memory, or all where there are no such: first where most vCPUs are pinned, then
  /// near that one, where the emulator is pinned, and where most memory can be had.
  let nodes: [Int]

  init(of domain: Domain, on host: HostFacts) {
    self.host = host
    let whole = host.nodes.filter { !$0.cpus.isEmpty && $0.memoryKiB > 0 }
    let candidates = whole.isEmpty ? host.nodes : whole
    let pins = domain.onlineVCPUs.compactMap { domain.vcpuPins[$0] }.filter { !$0.isEmpty }
    let emulator = domain.emulatorPin ?? domain.commonPin ?? []
    // Of each vCPU the part of its CPUs that the node has, in thousandths.
    func vcpus(on node: NodeFacts) -> Int {
      pins.reduce(0) { $0 + $1.intersection(node.cpus).count * 1000 / $1.count }
    }
    func threads(on node: NodeFacts) -> (Int, Int) {
      (vcpus(on: node), emulator.intersection(node.cpus).count)
    }
    let first = pins.isEmpty ? nil : candidates.max { threads(on: $0) < threads(on: $1) }
    func rank(_ node: NodeFacts) -> (Int, Int, Int, Int, Int) {
      let distance = first.map { host.distance(from: $0.id, to: node.id) } ?? 0
      let (vcpus, emulators) = threads(on: node)
      return (-vcpus, distance, -emulators, -node.obtainableKiB, node.id)
    }
    nodes = candidates.sorted { rank($0) < rank($1) }.map(\.id)
  }

  /// Some nodes in that order; those that are not among them come last.
  func sorted(_ set: CPUList) -> [Int] {
    nodes.filter(set.contains) + set.filter { !nodes.contains($0) }
  }

  /// The nodes besides some, the nearest first, as the kernel goes through them where those have nothing
  /// (mm/page_alloc.c, `build_zonelists()`).
  func nearest(to set: CPUList) -> [Int] {
    let others = host.nodes.filter { !set.contains($0.id) && $0.memoryKiB > 0 }
    func distance(_ node: NodeFacts) -> Int {
      set.map { host.distance(from: $0, to: node.id) }.min() ?? 0
    }
    return others.sorted { (distance($0), $0.id) < (distance($1), $1.id) }.map(\.id)
  }
}

extension HostFacts {
  /// How far memory of one node is from the CPUs of another, as the firmware tells; 10 is none, and 20 what
  /// the kernel takes for granted where it does not (include/linux/topology.h, `REMOTE_DISTANCE`).
  func distance(from node: Int, to other: Int) -> Int {
    if let place = nodes.firstIndex(where: { $0.id == other }),
      let row = nodes.first(where: { $0.id == node })?.distances, row.indices.contains(place)
    {
      return row[place]
    }
    return node == other ? 10 : 20
  }
}

extension NodeFacts {
  /// What huge pages may be made of: what is free, and what the kernel gives up of its caches.
  var obtainableKiB: Int { freeKiB &+ reclaimableKiB }
}
