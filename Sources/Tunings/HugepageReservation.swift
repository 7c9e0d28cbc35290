internal import HostModel

/// Reserves the huge pages that a domain's memory is made of, on the nodes that it is bound to.
///
/// libvirt hands the page size and the nodes to QEMU and reserves nothing: a QEMU that finds too
/// few pages ends with “Cannot allocate memory”. Berth asks each node for as many pages *more* as
/// the domain needs beyond those that are free there, not reserved, and not promised to another
/// domain on its way in.
struct HugepageReservation: Tuning {
  static let name = "hugepages"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    needs.nodes = isWanted(by: request) && (request.phase.mayRefuse || isHypervisorsTurn(request))
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard isWanted(by: request) else { return plan }
    if isHypervisorsTurn(request) { plan.poolEvents = events(of: request.domain, on: host) }
    guard request.phase.mayRefuse else { return plan }
    let limits = request.policy.limits
    var pools = PoolBook(host, limits)
    for demand in Demand.all(of: request.domain, on: host, within: limits.nodes) {
      if let refusal = demand.refusal(for: request.domain, on: host)
        ?? demand.refusal(for: request.domain, within: limits)
      {
        object(refusal, under: request.policy, in: &plan)
        continue
      }
      let shares = pools.take(demand)
      if request.phase == .prepare, let refusal = pools.excess(of: shares, for: request.domain) {
        object(refusal, under: request.policy, in: &plan)
        continue
      }
      if request.phase == .prepare {
        plan.changes += shares.map { change(for: $0, request, host) }
      } else {
        checkAgain(shares, request, &plan)
      }
    }
    if request.policy.memory.dropsCaches, host.hasZFS {
      plan.warnings.append("caches are not dropped: beside ZFS that can crash the host")
    }
    return plan
  }

  /// How many of the pages that domains on their way in count on a pool lacks.
  static func lack(in pool: HugepagePool, on host: HostFacts) -> Int {
    PoolBook(host, Policy.Limits()).lack(in: pool)
  }

  private func isWanted(by request: Request) -> Bool {
    request.policy.memory.reservesHugepages
      && (request.domain.cells.contains { $0.pageKiB != nil }
        || request.domain.memoryDevices.contains { $0.pageKiB != nil })
  }

  /// Whether the hypervisor has just handled the pools itself.
  ///
  /// Once QEMU runs, Proxmox sets the pools of its page size back to what the kernel was booted with,
  /// also those that other domains on their way count on; with `keephugepages` it leaves the pages
  /// there for the next start (`hugepages_pre_deallocate()` in src/PVE/QemuServer/Memory.pm).
  private func isHypervisorsTurn(_ request: Request) -> Bool {
    request.phase == .started && request.domain.proxmox?.hugepages != nil
  }

  private func events(of domain: Domain, on host: HostFacts) -> [PoolEvent] {
    let kind: PoolEvent.Kind = domain.proxmox?.keepsHugepages == true ? .kept : .reset
    var events: [PoolEvent] = []
    for demand in Demand.all(of: domain, on: host) {
      let event = PoolEvent(kind, pageKiB: demand.pageKiB)
      if !events.contains(event) { events.append(event) }
    }
    return events
  }

  private func change(for share: PoolShare, _ request: Request, _ host: HostFacts) -> Change {
    let memory = MemorySize(kiB: share.pool.kibibytes(in: share.need))
    return Change(
      .hugepagePool(share.pool), .more(share.missing, need: share.need),
      because: "\(request.domain.name) keeps \(memory) in \(counted(share.need, "page")) there",
      isRequired: request.policy.memory.requiresHugepages,
      remedies: MemoryCompaction.remedies(
        on: share.pool.node, under: request.policy.memory, host: host))
  }

  /// The last moment before QEMU runs: pages that somebody outside Berth took since `prepare`
  /// are missed here with a reason, and not in QEMU with none.
  private func checkAgain(_ shares: [PoolShare], _ request: Request, _ plan: inout Plan) {
    for share in shares where share.missing > 0 {
      let refusal = Refusal(
        "\(request.domain.name) needs \(share.need) huge pages of "
          + "\(PageSize(kiB: share.pool.pageKiB)) on node \(share.pool.node), but "
          + "\(min(share.missing, share.need)) of them were taken by somebody else since they were reserved; "
          + "start it again")
      object(refusal, under: request.policy, in: &plan)
    }
  }

  private func object(_ refusal: Refusal, under policy: Policy, in plan: inout Plan) {
    if policy.memory.requiresHugepages {
      plan.refusals.append(refusal)
    } else {
      plan.warnings.append(refusal.description)
    }
  }
}

/// Huge pages of one size that may come from any of some nodes.
private struct Demand {
  var pageKiB: Int
  var nodes: CPUList
  var pages: Int

  /// What a domain takes, one for each page size and set of nodes, in the order of its cells.
  ///
  /// Memory that may come from any node comes from `allowed` ones, where there are such.
  static func all(
    of domain: Domain, on host: HostFacts, within allowed: CPUList? = nil
  ) -> [Demand] {
    if let proxmox = domain.proxmox {
      return proxmox.hugepageDemands(among: host.hugepageSizes.map(\.pageKiB)).map {
        Demand(pageKiB: $0.pool.pageKiB, nodes: [$0.pool.node], pages: $0.pages)
      }
    }
    var demands: [Demand] = []
    func add(_ memoryKiB: Int, _ pageKiB: Int?, _ nodes: CPUList?) {
      guard let pageKiB else { return }
      let size = pageKiB == 0 ? host.defaultHugepageKiB ?? 0 : pageKiB
      let all = CPUList(host.nodes.map(\.id))
      let nodes = nodes ?? allowed.map(all.intersection) ?? all
      let pages = size == 0 ? 0 : (memoryKiB + size - 1) / size
      if let index = demands.firstIndex(where: { $0.pageKiB == size && $0.nodes == nodes }) {
        demands[index].pages += pages
      } else {
        demands.append(Demand(pageKiB: size, nodes: nodes, pages: pages))
      }
    }
    for cell in domain.cells { add(cell.memoryKiB, cell.pageKiB, cell.hostNodes) }
    for device in domain.memoryDevices { add(device.sizeKiB, device.pageKiB, device.hostNodes) }
    return demands
  }

  /// Why policy does not let a domain have the pages.
  func refusal(for domain: Domain, within limits: Policy.Limits) -> Refusal? {
    guard let allowed = limits.nodes, nodes.isEmpty || !nodes.isSubset(of: allowed) else {
      return nil
    }
    let wanted = nodes.isEmpty ? "the host's nodes" : "node \(nodes.subtracting(allowed))"
    return Refusal(
      "\(domain.name) wants huge pages on \(wanted), where no VM may claim any "
        + "(nodes = \"\(allowed)\" under [limits])")
  }

  /// Why no amount of trying can meet the demand.
  func refusal(for domain: Domain, on host: HostFacts) -> Refusal? {
    let offered = host.hugepageSizes.map { "\(PageSize(kiB: $0.pageKiB))" }
    guard host.hugepageSizes.contains(where: { $0.pageKiB == pageKiB }) else {
      return Refusal(
        "\(domain.name) wants huge pages of \(PageSize(kiB: pageKiB)), but this kernel offers "
          + (offered.isEmpty ? "none" : offered.joined(separator: ", ")))
    }
    let there = host.nodes.filter { nodes.contains($0.id) }
    if let missing = nodes.first(where: { id in !host.nodes.contains { $0.id == id } }) {
      return Refusal(
        "\(domain.name) has memory on node \(missing), but this host has only nodes "
          + "\(CPUList(host.nodes.map(\.id)))")
    }
    let memory = there.reduce(0) { $0 + $1.memoryKiB }
    let wanted = HugepagePool.kibibytes(in: pages, of: pageKiB)
    guard wanted > memory else { return nil }
    return Refusal(
      "\(domain.name) needs \(counted(pages, "huge page")) of \(PageSize(kiB: pageKiB)) "
        + "(\(MemorySize(kiB: wanted))) on node \(nodes), which has "
        + "\(MemorySize(kiB: memory)) of memory in all; give the domain less memory or more nodes")
  }
}

/// What one domain takes from one pool.
private struct PoolShare {
  var pool: HugepagePool
  var need: Int
  /// How many of them are not there yet.
  var missing: Int
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
private struct PoolBook {
  private var nodes: [NodeFacts]
  /// What is free and neither mapped nor promised; below 0 where more is promised than is there.
  private var balance: [HugepagePool: Int] = [:]
  /// What a pool that grows takes for strangers first, once.
  private var foreignSurplus: [HugepagePool: Int] = [:]
  private let limits: Policy.Limits
  /// How much of each node's memory may still become huge pages, in KiB; below 0 where more is already.
  private var room: [Int: Int] = [:]

  init(_ host: HostFacts, _ limits: Policy.Limits) {
    nodes = host.nodes
    self.limits = limits
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
        foreignSurplus[key] = pool.foreignSurplus
      }
    }
  }

  /// How many pages a pool has to have more for all that was promised of it: strangers' surplus first.
  func lack(in pool: HugepagePool) -> Int {
    let owed = max(0, -(balance[pool] ?? 0))
    return owed == 0 ? 0 : owed + (foreignSurplus[pool] ?? 0)
  }

  /// Divides a demand among its nodes: first what is there already, then the rest on the nodes
  /// with the most free memory.
  mutating func take(_ demand: Demand) -> [PoolShare] {
    var rest = demand.pages
    var shares: [PoolShare] = []
    let allowed = nodes.filter { demand.nodes.contains($0.id) }
    for node in allowed {
      let pool = HugepagePool(node: node.id, pageKiB: demand.pageKiB)
      let taken = min(rest, max(0, balance[pool] ?? 0))
      balance[pool, default: 0] -= taken
      rest -= taken
      shares.append(PoolShare(pool: pool, need: taken, missing: 0))
    }
    let roomiest = shares.indices.sorted {
      (allowed[$1].freeKiB, allowed[$0].id) < (allowed[$0].freeKiB, allowed[$1].id)
    }
    for (rank, index) in roomiest.enumerated() where rest > 0 {
      let isLast = rank == roomiest.count - 1
      let node = allowed[index]
      let fitting = max(0, min(node.freeKiB, room[node.id] ?? 0)) / max(1, demand.pageKiB)
      let taken = isLast ? rest : min(rest, fitting)
      shares[index].need += taken
      if taken > 0 {
        let pool = shares[index].pool
        // Where more is promised than is there, what comes first is for those who were promised it.
        let fresh = taken + max(0, -(balance.removeValue(forKey: pool) ?? 0))
        shares[index].missing += fresh + (foreignSurplus.removeValue(forKey: pool) ?? 0)
        room[node.id] = room[node.id].map { $0 &- pool.kibibytes(in: fresh) }
      }
      rest -= taken
    }
    return shares.filter { $0.need > 0 }
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
          + "\(MemorySize(kiB: kept)) stay with it (host-memory = \"\(line)\" under [limits]); give the "
          + "VM less memory, or lower that")
    }
    return nil
  }
}
