internal import HostModel

/// What speaks for a place and against it.
struct Verdict {
  let wish: Wish
  let premises: Premises
  let prices: Prices
  let seating: Seating
  let memory: MemoryPlan
  /// The emulator's core.
  let emulator: Int?
  /// Without costs and merits.
  let candidate: Candidate

  /// The dearest first.
  var costs: [Cost] {
    let costs =
      nodeCosts + functionCosts + cacheCosts + coreCosts + emulatorCosts + memoryCosts
    let real = costs.filter { $0.points > 0 }
    // The place in the list decides among equals, so that the order is the same each time.
    return real.enumerated().sorted { left, right in
      (-left.element.points, left.offset) < (-right.element.points, right.offset)
    }.map(\.element)
  }

  private var nodeCosts: [Cost] {
    let nodes = candidate.nodes
    if nodes.count == 1 { return [] }
    var distance = 0
    for (index, node) in nodes.enumerated() {
      for other in nodes[..<index] { distance += premises.distance(from: node, to: other) - 10 }
    }
    let counts = seating.cells.map(\.vcpus.count)
    let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
    let list = CPUList(nodes)
    return [
      Cost(
        points: prices.node * (nodes.count - 1) + prices.distance * distance,
        reason:
          "it is on \(nodes.count) nodes, \(list): part of its memory is far from each vCPU, and "
          + "its system has to know of nodes"),
      Cost(points: prices.unevenCell * spread, reason: "its cells have unequal numbers of vCPUs"),
    ]
  }

  private var functionCosts: [Cost] {
    wish.functions.compactMap { function in
      guard let home = function.node, premises.topology.nodes.contains(where: { $0.id == home })
      else { return nil }
      let steps = candidate.nodes.map { premises.distance(from: $0, to: home) - 10 }.min() ?? 0
      return Cost(
        points: prices.distance * steps,
        reason: "\(function.address) is on node \(home), at a distance of \(steps + 10)")
    }
  }

  private var cacheCosts: [Cost] {
    let uses = seating.cores.map { (premises.cores[$0.core].cache, $0.vcpus) }
    let caches = candidate.caches.filter(\.isReal)
    return [
      Cost(
        points: premises.countPoints(seating.caches, beyond: candidate.nodes.count, at: prices),
        reason: "its cores are in \(caches.count) L3 caches: what one holds is far from the others"),
      Cost(
        points: premises.sizePoints(uses, at: prices),
        reason: "other cores of this host have a larger L3, "
          + "\(PageSize(kiB: premises.largestCacheKiB))"),
      Cost(
        points: premises.sharedPoints(seating.caches, at: prices),
        reason: "other VMs' vCPUs use \(Self.cacheTitle(caches)) as well"),
      Cost(
        points: premises.hostPoints(seating.caches, at: prices),
        reason: "the host's own work uses \(Self.cacheTitle(caches)) as well"),
    ]
  }

  private static func cacheTitle(_ caches: [Premises.Cache]) -> String {
    caches.count == 1 ? "its L3" : "one of its L3 caches"
  }

  private var coreCosts: [Cost] {
    let cores = seating.cores.map { premises.cores[$0.core] }
    let idle = cores.reduce(0) { $0 + $1.threads.count } - wish.vcpus
    let sharing = seating.sharing
    let isTold = candidate.shape.threads > 1
    let used = CPUList(candidate.vcpus)
    let idleCPUs = CPUList(cores.flatMap(\.threads)).subtracting(used)
    var costs = [
      Cost(
        points: prices.idleThread * idle,
        reason:
          "\(idleCPUs) \(idleCPUs.count == 1 ? "is" : "are") idle"
          + (candidate.idle.isEmpty ? " but for the host's tasks" : " beside its vCPUs")
          + ": no other VM may have a part of its cores"),
      Cost(
        points: prices.sharedCore * sharing,
        reason: "vCPUs that share a core slow each other down"),
      Cost(
        points: isTold ? 0 : prices.hiddenSibling * sharing,
        reason: "\(sharing) vCPUs share cores and the guest does not know of it, as \(wish.vcpus) "
          + "vCPUs do not fill cores of \(cores.first?.threads.count ?? 1) threads"),
    ]
    if candidate.kind == .efficiency, premises.hasKinds {
      costs.append(Cost(points: prices.efficiency, reason: "its cores are efficiency cores"))
    }
    let occupied = cores.filter(\.isOccupied)
    costs.append(
      Cost(
        points: prices.occupiedCore * occupied.count,
        reason: "another VM's emulator may run on "
          + "\(CPUList(occupied.flatMap(\.threads)).intersection(used))"))
    if premises.hasSetAside {
      let others = CPUList(cores.filter { !$0.isSetAside }.flatMap(\.threads)).intersection(used)
      costs.append(
        Cost(
          points: prices.notSetAside * others.count,
          reason: "the host was started with other CPUs set aside (isolcpus=) than \(others)"))
    }
    return costs
  }

  private var emulatorCosts: [Cost] {
    guard let emulator else { return [] }
    let core = premises.cores[emulator]
    guard candidate.nodes.contains(where: { $0 == core.node }) else {
      return [
        Cost(
          points: prices.remoteEmulator,
          reason: "no core of its node is left for the emulator, which is on \(candidate.emulator)")
      ]
    }
    guard core.use == .free else {
      return [
        Cost(
          points: prices.hostEmulator,
          reason: "the emulator shares \(candidate.emulator) with "
            + (core.use == .housekeeping ? "the host" : "another VM's"))
      ]
    }
    return []
  }

  private var memoryCosts: [Cost] {
    var costs: [Cost] = []
    for cell in candidate.cells where cell.memoryNode != cell.node {
      costs.append(
        Cost(
          points: prices.distance
            * max(1, premises.distance(from: cell.node, to: cell.memoryNode) - 10),
          reason: "node \(cell.node) has no memory; it comes from node \(cell.memoryNode)"))
    }
    let uneven = candidate.cells.contains { cell in
      let fair = wish.memoryKiB / wish.vcpus * cell.vcpus.count
      return abs(cell.memoryKiB - fair) > wish.memoryKiB / 8
    }
    if uneven {
      costs.append(
        Cost(
          points: prices.unevenMemory,
          reason: "its nodes have not as much memory free as their vCPUs would be due"))
    }
    return costs + pageCosts
  }

  private var pageCosts: [Cost] {
    guard let regular = premises.regularPageKiB, premises.knowsMemory else { return [] }
    var costs: [Cost] = []
    switch memory.pageKiB {
    case nil:
      costs.append(
        Cost(
          points: prices.ordinaryPages,
          reason: "ordinary pages: \(wish.memoryKiB) KiB are no whole pages of "
            + "\(PageSize(kiB: regular)), or the nodes do not offer them"))
    case let size? where size > regular:
      costs.append(
        Cost(
          points: memory.madeKiB > 0 ? prices.madePages : 0,
          reason: "pages of \(PageSize(kiB: size)) have to be made at the start, up to a second "
            + "each; only those reserved at boot (hugepagesz=) are sure"))
    default:
      if premises.pageSizes.contains(where: { $0 > regular && $0 <= 1 << 20 }) {
        costs.append(
          Cost(points: prices.regularPages, reason: "1 GiB pages are not available there now"))
      }
    }
    costs.append(
      Cost(
        points: memory.reclaimedKiB > 0 ? prices.reclaim : 0,
        reason: "\(MemorySize(kiB: memory.reclaimedKiB)) have to come out of the page cache first"))
    return costs
  }
}
