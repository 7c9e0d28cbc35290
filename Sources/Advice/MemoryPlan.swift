internal import HostModel

/// Where a guest's memory comes from, and in which pages.
struct MemoryPlan {
  /// nil for ordinary pages.
  var pageKiB: Int?
  /// One for each cell.
  var shares: [Share]
  /// What is missing in the pool, and so has to be made out of ordinary memory at the start.
  var madeKiB: Int
  /// What the page cache has to give up.
  var reclaimedKiB: Int

  struct Share: Equatable {
    var node: Int
    var memoryKiB: Int
  }
}

extension Premises {
  /// Whether anything is known of the host's memory: some records of hosts have none.
  var knowsMemory: Bool { memory.contains { $0.totalKiB > 0 } }

  /// The huge page sizes that the kernel offers, descending.
  var pageSizes: [Int] {
    Array(Set(memory.flatMap { $0.pools.map(\.pageKiB) })).sorted(by: >)
  }

  /// The size that every kernel can make out of ordinary memory at any time: 2 MiB where it is
  /// offered, else the smallest from 1 MiB on (POWER's hash MMU has 16 MiB, s390 1 MiB).
  var regularPageKiB: Int? {
    let sizes = pageSizes
    return sizes.contains(2048) ? 2048 : sizes.last { $0 >= 1024 }
  }

  /// The node that the memory of a CPU's node comes from: itself, or the nearest that has memory.
  func memoryNode(for node: Int) -> Int? {
    guard knowsMemory else { return node }
    let able = memory.filter { $0.totalKiB > 0 }.map(\.node)
    if able.contains(node) { return node }
    return able.min { left, right in
      (distance(from: node, to: left), left) < (distance(from: node, to: right), right)
    }
  }

  /// The memory of a guest whose cells have so many vCPUs on these nodes; nil where it does not fit.
  ///
  /// The largest pages win that are to be had. Pages above the regular size are to be had where
  /// they lie in the pool; those of 1 GiB also where a node has four times as much free memory and
  /// no other huge pages, as the kernel looks for whole, movable GiB and up to 6.17 passes over each
  /// that holds a huge page (`alloc_contig_pages()`, `pfn_range_valid_contig()` in mm/page_alloc.c).
  func memoryPlan(for cells: [(node: Int, vcpus: Int)], memoryKiB: Int) -> MemoryPlan? {
    var nodes: [Int] = []
    for cell in cells {
      guard let node = memoryNode(for: cell.node) else { return nil }
      nodes.append(node)
    }
    let vcpus = cells.map(\.vcpus)
    if !knowsMemory {
      let shares = Self.divide(memoryKiB, by: vcpus, unit: 1024, room: nil)
      return shares.map { shares in
        MemoryPlan(
          pageKiB: nil, shares: zip(nodes, shares).map { .init(node: $0, memoryKiB: $1) },
          madeKiB: 0, reclaimedKiB: 0)
      }
    }
    let regular = regularPageKiB ?? Int.max
    for pageKiB in pageSizes.filter({ $0 >= regular }).map(Optional.some) + [nil] {
      if let plan = plan(pageKiB, isLarge: (pageKiB ?? 0) > regular, vcpus, nodes, memoryKiB) {
        return plan
      }
    }
    return nil
  }

  private func plan(
    _ pageKiB: Int?, isLarge: Bool, _ vcpus: [Int], _ nodes: [Int], _ memoryKiB: Int
  ) -> MemoryPlan? {
    // Ordinary pages are as small as the architecture's; no guest is cut finer than by the MiB.
    let unit = pageKiB ?? 1024
    if pageKiB != nil, memoryKiB % unit != 0 { return nil }
    let total = vcpus.reduce(0, +)
    if isLarge, vcpus.contains(where: { memoryKiB / unit * $0 % total != 0 }) { return nil }
    // Cells whose memory comes from one node share what it has.
    let room = nodes.map { node in
      roomKiB(on: node, pageKiB, isLarge) / nodes.count { $0 == node }
    }
    guard let shares = Self.divide(memoryKiB, by: vcpus, unit: unit, room: room) else { return nil }
    var plan = MemoryPlan(pageKiB: pageKiB, shares: [], madeKiB: 0, reclaimedKiB: 0)
    for (node, share) in zip(nodes, shares) {
      plan.shares.append(MemoryPlan.Share(node: node, memoryKiB: share))
    }
    for node in CPUList(nodes) {
      guard let memory = memory.first(where: { $0.node == node }) else { continue }
      let need = plan.shares.filter { $0.node == node }.reduce(0) { $0 + $1.memoryKiB }
      let pooled = pageKiB.map { $0 * memory.free(pageKiB: $0) } ?? 0
      let made = max(0, need - pooled)
      if pageKiB != nil { plan.madeKiB += made }
      plan.reclaimedKiB += max(0, made - memory.freeKiB)
    }
    return plan
  }

  /// How much memory a node has in pages of a size, in the pool or to be made.
  private func roomKiB(on node: Int, _ pageKiB: Int?, _ isLarge: Bool) -> Int {
    guard let memory = memory.first(where: { $0.node == node }) else { return 0 }
    guard let pageKiB else { return memory.usableKiB }
    guard memory.pools.contains(where: { $0.pageKiB == pageKiB }) else { return 0 }
    let pooled = memory.free(pageKiB: pageKiB) * pageKiB
    if !isLarge { return pooled + memory.usableKiB }
    let isClear = memory.pools.allSatisfy { $0.pageKiB == pageKiB || $0.free == 0 }
    return pageKiB == 1 << 20 && isClear ? max(pooled, memory.freeKiB / 4) : pooled
  }

  /// Memory in parts as large as the numbers of vCPUs, in whole units.
  ///
  /// What one part has no room for goes to the others; nil where there is not enough room.
  static func divide(_ memoryKiB: Int, by vcpus: [Int], unit: Int, room: [Int]?) -> [Int]? {
    let total = vcpus.reduce(0, +)
    guard total > 0, memoryKiB > 0 else { return nil }
    let units = memoryKiB / unit
    let limits = room?.map { $0 / unit } ?? vcpus.map { _ in units }
    var parts = zip(vcpus, limits).map { min($1, units * $0 / total) }
    var rest = units - parts.reduce(0, +)
    while rest > 0 {
      let open = parts.indices.filter { parts[$0] < limits[$0] }
      if open.isEmpty { return nil }
      let step = max(1, rest / open.count)
      for index in open where rest > 0 {
        let more = min(step, limits[index] - parts[index], rest)
        parts[index] += more
        rest -= more
      }
    }
    if parts.contains(0), parts.count > 1 { return nil }
    let remainder = memoryKiB - units * unit
    var shares = parts.map { $0 * unit }
    if remainder > 0 {
      let fits = shares.indices.first { index in
        room.map { shares[index] + remainder <= $0[index] } ?? true
      }
      guard let fits else { return nil }
      shares[fits] += remainder
    }
    return shares
  }
}
