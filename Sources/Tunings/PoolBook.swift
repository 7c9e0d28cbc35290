internal import HostModel

/// What one domain takes from one pool.
struct PoolShare {
  var pool: HugepagePool
  var need: Int
  /// How many of them are not there yet.
  var missing: Int
  /// How many of these the node has no memory for that could be given up.
  var unseen = 0
}

extension [PoolShare] {
  /// The shares of each pool together, in the order in which pools come first.
  func adding(_ others: [PoolShare]) -> [PoolShare] {
    var sum = self
    for share in others {
      if let index = sum.firstIndex(where: { $0.pool == share.pool }) {
        sum[index].need += share.need
        sum[index].missing += share.missing
        sum[index].unseen += share.unseen
      } else {
        sum.append(share)
      }
    }
    return sum
  }
}

/// Free pages of a pool that a domain on its way in is still to take.
private struct Promise {
  var pool: HugepagePool
  var pages: Int
  /// Whether the domain's QEMU runs, and has mapped them.
  var isMapped: Bool

  /// What is promised to a domain, less what its QEMU has taken out of the pools already.
  ///
  /// The kernel tells the sum of all sizes and nodes only. Of each pool so much is subtracted as
  /// cannot have come from the domain's other pools, which is all of it where it has but one: so a
  /// page may be kept for a domain that has it already for as long as its QEMU fills its memory, but
  /// none is given away that it is still to take.
  static func all(to neighbour: Neighbour) -> [Promise] {
    let pending = neighbour.pendingPages
    let needKiB = pending.reduce(0) { $0 + $1.pool.kibibytes(in: $1.need) }
    return pending.map { pages in
      let othersKiB = needKiB - pages.pool.kibibytes(in: pages.need)
      let taken = max(0, (neighbour.takenKiB ?? 0) - othersKiB) / pages.pool.pageKiB
      return Promise(
        pool: pages.pool, pages: max(0, pages.need - pages.outstanding - taken),
        isMapped: neighbour.takenKiB != nil)
    }
  }
}

/// Keeps account of the pages that can still be promised.
struct PoolBook {
  private var nodes: [NodeFacts]
  /// What is free and neither mapped nor promised; below 0 where more is promised than is there.
  private var balance: [HugepagePool: Int] = [:]
  /// The free pages of each size that are neither mapped nor promised: those that strangers have mapped and
  /// not touched yet are counted for all nodes together, so that any node may have them.
  private var unpromised: [Int: Int] = [:]
  /// What a pool that grows takes for strangers first, once.
  private var foreignSurplus: [HugepagePool: Int] = [:]
  private let limits: Policy.Limits
  /// What pools have turned out to grant at most, for those that have granted less than they were asked for.
  private var mostPages: [HugepagePool: Int]
  /// How much of each node's memory may still become huge pages, in KiB; below 0 where more is already.
  private var room: [Int: Int] = [:]

  init(
    _ host: HostFacts, _ limits: Policy.Limits, mostOf mostPages: [HugepagePool: Int] = [:]
  ) {
    nodes = host.nodes
    self.limits = limits
    self.mostPages = mostPages
    for node in host.nodes {
      let pages = node.pools.reduce(0) {
        $0 &+ HugepagePool.kibibytes(in: $1.total, of: $1.pageKiB)
      }
      // What others on their way in are still to obtain is as good as taken.
      let promised = host.neighbours.flatMap(\.pendingPages).filter { $0.pool.node == node.id }
        .reduce(0) { $0 &+ $1.pool.kibibytes(in: $1.outstanding) }
      room[node.id] =
        node.memoryKiB - limits.memoryKept(ofNodeWith: node.memoryKiB) - max(0, pages)
        - max(0, promised)
    }
    for node in host.nodes {
      for pool in node.pools {
        let size = host.hugepageSizes.first { $0.pageKiB == pool.pageKiB }
        let promises = host.neighbours.flatMap { Promise.all(to: $0) }
          .filter { $0.pool.pageKiB == pool.pageKiB }
        // A QEMU reserves all of its memory when it maps it, so that what it has not touched yet is
        // among the reserved pages and promised to it, too.
        let mapped = promises.filter(\.isMapped).reduce(0) { $0 + $1.pages }
        // Mapped and untouched pages are counted for the whole host only, so any of them may be
        // among this node's free ones.
        let unreserved = size.map { $0.free - max(0, $0.reserved - mapped) } ?? pool.free
        let key = HugepagePool(node: node.id, pageKiB: pool.pageKiB)
        let promised = promises.filter { $0.pool == key }.reduce(0) { $0 + $1.pages }
        balance[key] = max(0, min(pool.free, unreserved)) - promised
        unpromised[pool.pageKiB] = unreserved - promises.reduce(0) { $0 + $1.pages }
        foreignSurplus[key] = pool.foreignSurplus
      }
    }
  }

  /// How many pages a pool has to have more for all that was promised of it: strangers' surplus first.
  func lack(in pool: HugepagePool) -> Int {
    let owed = max(0, -(balance[pool] ?? 0))
    return owed == 0 ? 0 : owed + (foreignSurplus[pool] ?? 0)
  }

  /// Divides a demand among its nodes, in their order, as far as each has pages or room for more.
  ///
  /// What fits nowhere is asked of the first all the same: memory may be freed for it.
  mutating func take(_ demand: MemoryDemand) -> [PoolShare] {
    let order = demand.nodes.filter { id in nodes.contains { $0.id == id } }
    var shares = order.map { node in
      PoolShare(pool: HugepagePool(node: node, pageKiB: demand.pageKiB), need: 0, missing: 0)
    }
    var rest = demand.pages
    for (place, node) in order.sorted().enumerated() where demand.isInterleaved {
      let even = demand.pages / order.count + (place < demand.pages % order.count ? 1 : 0)
      guard let index = order.firstIndex(of: node) else { continue }
      rest -= take(min(even, capacity(of: shares[index].pool)), &shares[index])
    }
    for index in shares.indices where rest > 0 {
      rest -= take(min(rest, capacity(of: shares[index].pool)), &shares[index])
    }
    if rest > 0, !shares.isEmpty {
      let index = shares.firstIndex { mostPages[$0.pool] == nil } ?? 0
      shares[index].unseen += rest
      _ = take(rest, &shares[index])
    }
    return shares.filter { $0.need > 0 }
  }

  /// How many pages can be had of a pool, those that are there already among them.
  private func capacity(of pool: HugepagePool) -> Int {
    guard let node = nodes.first(where: { $0.id == pool.node }) else { return 0 }
    let fitting = max(0, min(node.obtainableKiB, room[node.id] ?? 0)) / max(1, pool.pageKiB)
    let most = free(in: pool) + fitting
    return mostPages[pool].map { max(0, min($0, most)) } ?? most
  }

  /// How many pages of a pool are there for whoever comes next.
  private func free(in pool: HugepagePool) -> Int {
    max(0, min(balance[pool] ?? 0, unpromised[pool.pageKiB] ?? .max))
  }

  /// Takes pages of a pool, first what is there already; how many.
  private mutating func take(_ pages: Int, _ share: inout PoolShare) -> Int {
    if pages == 0 { return 0 }
    let pool = share.pool
    let there = min(pages, free(in: pool))
    balance[pool, default: 0] -= there
    unpromised[pool.pageKiB] = unpromised[pool.pageKiB].map { $0 - there }
    share.need += pages
    if let most = mostPages[pool] { mostPages[pool] = most - pages }
    guard pages > there else { return pages }
    // Where more is promised than is there, what comes first is for those who were promised it.
    let fresh = pages - there + max(0, -(balance.removeValue(forKey: pool) ?? 0))
    share.missing += fresh + (foreignSurplus.removeValue(forKey: pool) ?? 0)
    room[pool.node] = room[pool.node].map { $0 &- pool.kibibytes(in: fresh) }
    return pages
  }

  /// Why policy does not let pools grow by so much: what is left of a node would be less than stays
  /// with the host.
  func excess(of shares: [PoolShare], for domain: Domain) -> Refusal? {
    for share in shares where share.missing > 0 {
      guard let room = room[share.pool.node], room < 0,
        let node = nodes.first(where: { $0.id == share.pool.node })
      else { continue }
      let kept = limits.memoryKept(ofNodeWith: node.memoryKiB)
      let line = limits.hostMemoryKiB == nil ? "auto" : "\(MemorySize(kiB: kept))"
      return Refusal(
        "\(domain.name) needs \(counted(share.missing, "more huge page")) of "
          + "\(PageSize(kiB: share.pool.pageKiB)) on node \(node.id), which would leave the host "
          + "\(MemorySize(kiB: max(0, kept + room))) of its \(MemorySize(kiB: node.memoryKiB)); "
          + "\(MemorySize(kiB: kept)) are kept for it (host-memory = \"\(line)\" under [limits]); give the "
          + "VM less memory, or lower that")
    }
    return nil
  }
}
