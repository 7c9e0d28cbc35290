internal import HostModel

/// Looks for the places where a domain could be.
///
/// As few nodes as possible; on them, each way to spread vCPUs over cores with the best selections
/// of caches. What grows without bound with the host (combinations of caches, of nodes) is tried in
/// full on small hosts alone, and in the order of what promises most on large ones.
struct Search {
  let assessor: Assessor

  /// How many sets of nodes are tried at most.
  private static let nodeSetLimit = 256
  /// How many selections of caches of one node are judged in full.
  private static let selectionLimit = 4

  private var wish: Wish { assessor.wish }
  private var premises: Premises { assessor.premises }

  /// The candidates on as few nodes as there are any on.
  func candidates() -> [Candidate] {
    let free = premises.cores.filter { $0.use == .free }
    let kinds = [CoreKind.performance, .efficiency, nil].filter { kind in
      free.contains { $0.kind == kind }
    }
    let searches = kinds.map { kind in
      premises.nodes.map { node in
        NodeSearch(node, kind: kind, premises: premises, prices: assessor.prices)
      }
    }
    guard wish.vcpus > 0, !premises.nodes.isEmpty else { return [] }
    for count in 1...min(premises.nodes.count, wish.vcpus) where hasMemory(on: count) {
      var found: [Candidate] = []
      for search in searches where hasRoom(search, on: count) {
        var parts = NodeParts()
        for set in nodeSets(of: count) {
          found += candidates(on: set, of: search, &parts)
        }
      }
      if !found.isEmpty { return found }
    }
    return []
  }

  private func hasRoom(_ search: [NodeSearch], on count: Int) -> Bool {
    let rooms = search.map { $0.threads.reduce(0, +) }.sorted(by: >)
    return rooms.prefix(count).reduce(0, +) >= wish.vcpus
  }

  /// Whether so many nodes could have the memory, if they were those that have most.
  private func hasMemory(on count: Int) -> Bool {
    guard premises.knowsMemory else { return true }
    let rooms = premises.memory.map { memory in
      memory.usableKiB + memory.pools.reduce(0) { $0 + $1.free * $1.pageKiB }
    }
    return rooms.sorted(by: >).prefix(count).reduce(0, +) >= wish.memoryKiB
  }

  private func candidates(
    on set: [Int], of search: [NodeSearch], _ parts: inout NodeParts
  ) -> [Candidate] {
    let nodes = set.map { search[$0] }
    let widest = nodes.flatMap(\.threads).max() ?? 1
    var found: [Candidate] = []
    for layout in Layout.all(for: wish.vcpus, threads: widest) {
      guard let split = split(layout, on: nodes) else { continue }
      let assignments =
        set.count == 1
        ? nodes[0].assignments(for: wish.vcpus, layout, limit: Self.selectionLimit)
        : parts.joined(set, split, layout, of: search).map { [$0] } ?? []
      found += assignments.compactMap { assessor.candidate(on: $0) }
    }
    if found.isEmpty, let split = split(.dense, on: nodes) {
      let cpus = zip(nodes, split).compactMap { $0.anywhere(for: $1) }
      if let candidate = assessor.candidate(on: cpus.flatMap { $0 }) { found.append(candidate) }
    }
    return found
  }

  /// How many vCPUs each node has: as equal as their room allows; nil where there is not enough, or
  /// a node would have none.
  private func split(_ layout: Layout, on nodes: [NodeSearch]) -> [Int]? {
    let room = nodes.map { layout.room(on: $0.threads) }
    let equal = nodes.map { _ in 1 }
    guard
      let parts = Premises.divide(wish.vcpus, by: equal, unit: layout.unit, room: room),
      !parts.contains(0)
    else { return nil }
    return parts
  }

  /// Sets of nodes, as positions in `Premises.nodes`, each ascending.
  private func nodeSets(of count: Int) -> [[Int]] {
    let all = Array(premises.nodes.indices)
    var sets: [[Int]] = [[]]
    for _ in 0..<count {
      sets = sets.flatMap { set in
        all.filter { $0 > set.last ?? -1 }.map { set + [$0] }
      }
      if sets.count > Self.nodeSetLimit { return grownSets(of: count) }
    }
    return sets
  }

  /// From each node, the set of the nearest ones that have a free core; then the nodes that have
  /// most CPUs, and those that have most memory.
  private func grownSets(of count: Int) -> [[Int]] {
    let room = premises.nodes.map { node in
      premises.cores.reduce(0) { $1.use == .free && $1.node == node ? $0 + $1.threads.count : $0 }
    }
    let memory = premises.nodes.map { node in
      premises.memory.first { $0.node == node }?.usableKiB ?? 0
    }
    let able = premises.nodes.indices.filter { room[$0] > 0 }
    var orders = able.map { start in
      able.sorted { (distance(start, $0), $0) < (distance(start, $1), $1) }
    }
    orders.append(able.sorted { (-room[$0], $0) < (-room[$1], $1) })
    orders.append(able.sorted { (-memory[$0], $0) < (-memory[$1], $1) })
    var sets: [[Int]] = []
    for order in orders {
      let set = order.prefix(count).sorted()
      if set.count == count, !sets.contains(set) { sets.append(set) }
    }
    return sets
  }

  private func distance(_ left: Int, _ right: Int) -> Int {
    premises.distance(from: premises.nodes[left], to: premises.nodes[right])
  }
}

/// The best places on single nodes, which many sets of nodes have in common.
private struct NodeParts {
  private struct Key: Hashable {
    var node: Int
    var vcpus: Int
    var layout: Layout
  }

  private var found: [Key: [Int]?] = [:]

  /// The best place on each node of a set, one after the other; nil where one has none.
  mutating func joined(
    _ set: [Int], _ split: [Int], _ layout: Layout, of search: [NodeSearch]
  ) -> [Int]? {
    var whole: [Int] = []
    for (node, vcpus) in zip(set, split) {
      let key = Key(node: node, vcpus: vcpus, layout: layout)
      let part = found[key] ?? search[node].assignments(for: vcpus, layout, limit: 1).first
      found[key] = .some(part)
      guard let part else { return nil }
      whole += part
    }
    return whole
  }
}
