internal import HostModel

/// Huge pages of one size for a part of a domain's memory, and the nodes that they come from.
///
/// Nobody but the kernel decides that, when QEMU touches its memory: by the policy that QEMU has set for
/// it, and without one from the node that the touching thread runs on, and from the nearest that has
/// pages where that has none (mm/hugetlb.c, `dequeue_hugetlb_folio_vma()`; mm/mempolicy.c, `huge_node()`).
/// So pages have to be where that policy looks first.
struct MemoryDemand {
  var pageKiB: Int
  var pages: Int
  /// The nodes that the pages may come from, those first that are to have them.
  var nodes: [Int]
  /// The nodes that the configuration names, or those that memory comes from which it names none for.
  var named: CPUList
  /// Whether each node has the same share.
  var isInterleaved = false

  init(pageKiB: Int, pages: Int, nodes: [Int]) {
    (self.pageKiB, self.pages, self.nodes) = (pageKiB, pages, nodes)
    named = CPUList(nodes)
  }

  /// What a domain takes, one for each page size and choice of nodes, in the order of its cells.
  ///
  /// Memory that may come from any node comes from `allowed` ones, where there are such.
  static func all(
    of domain: Domain, on host: HostFacts, within allowed: CPUList? = nil
  ) -> [MemoryDemand] {
    if let proxmox = domain.proxmox {
      return proxmox.hugepageDemands(among: host.hugepageSizes.map(\.pageKiB)).map {
        MemoryDemand(pageKiB: $0.pool.pageKiB, pages: $0.pages, nodes: [$0.pool.node])
      }
    }
    let home = HomeNodes(of: domain, on: host)
    var demands: [MemoryDemand] = []
    func add(_ memoryKiB: Int, _ pageKiB: Int?, _ nodes: CPUList?, _ mode: MemoryMode?) {
      guard let pageKiB else { return }
      let size = pageKiB == 0 ? host.defaultHugepageKiB ?? 0 : pageKiB
      let pages = size == 0 ? 0 : (memoryKiB + size - 1) / size
      var demand = MemoryDemand(pageKiB: size, pages: pages, nodes: [])
      demand.choose(nodes, mode, home, allowed)
      if let index = demands.firstIndex(where: demand.isLike) {
        demands[index].pages += pages
      } else {
        demands.append(demand)
      }
    }
    for cell in domain.cells { add(cell.memoryKiB, cell.pageKiB, cell.hostNodes, cell.mode) }
    for device in domain.memoryDevices {
      add(device.sizeKiB, device.pageKiB, device.hostNodes, device.mode)
    }
    return demands
  }

  /// The nodes by the mode of `numatune`: `interleave` takes from each in turn, `preferred` from others
  /// where the named ones have no pages, all other modes from the named ones alone.
  private mutating func choose(
    _ bound: CPUList?, _ mode: MemoryMode?, _ home: HomeNodes, _ allowed: CPUList?
  ) {
    func isAllowed(_ node: Int) -> Bool { allowed?.contains(node) ?? true }
    guard let bound else {
      nodes = home.nodes.filter(isAllowed)
      named = CPUList(nodes)
      return
    }
    named = bound
    nodes = home.sorted(bound)
    switch mode {
    case .interleave: isInterleaved = true
    case .preferred: nodes += home.nearest(to: bound).filter(isAllowed)
    case .strict, .restrictive, .bind, nil: break
    }
  }

  private func isLike(_ other: MemoryDemand) -> Bool {
    (pageKiB, nodes, named) == (other.pageKiB, other.nodes, other.named)
      && isInterleaved == other.isInterleaved
  }

  /// What is to be said of memory that does not come from where it is to be.
  func remark(on shares: [PoolShare], of domain: Domain) -> String? {
    guard let first = nodes.first, !isInterleaved else { return nil }
    let away = shares.filter { $0.pool.node != first }
    guard !away.isEmpty else { return nil }
    let sum = away.reduce(0) { $0 + $1.need }
    let cost = domain.vcpuPins.isEmpty ? "" : ": its vCPUs reach that memory more slowly"
    return "\(counted(sum, "huge page")) of \(domain.name) come from node "
      + "\(CPUList(away.map(\.pool.node))), as node \(first) has no room for more\(cost)"
  }

  /// Why policy does not let a domain have the pages.
  func refusal(for domain: Domain, within limits: Policy.Limits) -> Refusal? {
    guard let allowed = limits.nodes, named.isEmpty || !named.isSubset(of: allowed) else {
      return nil
    }
    let wanted = named.isEmpty ? "the host's nodes" : "node \(named.subtracting(allowed))"
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
    if let missing = named.first(where: { id in !host.nodes.contains { $0.id == id } }) {
      return Refusal(
        "\(domain.name) has memory on node \(missing), but this host has only nodes "
          + "\(CPUList(host.nodes.map(\.id)))")
    }
    let memory = there.reduce(0) { $0 + $1.memoryKiB }
    let wanted = HugepagePool.kibibytes(in: pages, of: pageKiB)
    guard wanted > memory else { return nil }
    return Refusal(
      "\(domain.name) needs \(counted(pages, "huge page")) of \(PageSize(kiB: pageKiB)) "
        + "(\(MemorySize(kiB: wanted))) on node \(CPUList(nodes)), which has "
        + "\(MemorySize(kiB: memory)) of memory in all; give the VM less memory or more nodes")
  }
}
