internal import HostModel

/// Finds cores for some vCPUs on one node.
struct NodeSearch {
  let premises: Premises
  let prices: Prices
  /// The free cores of the node, of one kind, in the order in which they are to be taken.
  private let groups: [Group]
  /// The numbers of threads of all of them.
  let threads: [Int]

  private struct Group {
    var cache: Int
    /// Positions in `Premises.cores`.
    var cores: [Int]
  }

  /// The most caches of a node of which every combination is tried.
  private static let exhaustiveLimit = 6

  init(_ node: Int, kind: CoreKind?, premises: Premises, prices: Prices) {
    self.premises = premises
    self.prices = prices
    var groups: [Group] = []
    for (index, core) in premises.cores.enumerated()
    where core.use == .free && core.node == node && core.kind == kind {
      if let group = groups.firstIndex(where: { $0.cache == core.cache }) {
        groups[group].cores.append(index)
      } else {
        groups.append(Group(cache: core.cache, cores: [index]))
      }
    }
    // The host's tasks run on its first CPUs more than on others. Cores with a thread offline hold
    // fewer vCPUs, and are the last to be taken.
    for index in groups.indices {
      groups[index].cores.sort { left, right in
        let (a, b) = (premises.cores[left], premises.cores[right])
        return (a.isSetAside ? 0 : 1, a.isOccupied ? 1 : 0, -a.threads.count, -left)
          < (b.isSetAside ? 0 : 1, b.isOccupied ? 1 : 0, -b.threads.count, -right)
      }
    }
    self.groups = groups
    threads = groups.flatMap(\.cores).map { premises.cores[$0].threads.count }
  }

  /// CPUs for so many vCPUs, in their order: the best selections of caches first, at most `limit`.
  func assignments(for vcpus: Int, _ layout: Layout, limit: Int) -> [[Int]] {
    let widest = threads.max() ?? 1
    let count = layout.cores(for: vcpus, threads: widest, available: threads.count)
    var found: [[Int]] = []
    for selection in selections(of: count).prefix(limit) {
      if let cpus = assignment(of: vcpus, to: taken(count, of: selection), layout) {
        found.append(cpus)
      }
    }
    return found
  }

  /// All threads of the node's cores, those that hold most vCPUs first: a last resort where cores
  /// are of several sizes.
  func anywhere(for vcpus: Int) -> [Int]? {
    let cores = groups.flatMap(\.cores).sorted { left, right in
      (-premises.cores[left].threads.count, -left) < (-premises.cores[right].threads.count, -right)
    }
    let cpus = cores.flatMap { premises.cores[$0].threads }.prefix(vcpus)
    return cpus.count == vcpus ? Array(cpus) : nil
  }

  /// The combinations of caches that have enough cores, the cheapest first.
  private func selections(of count: Int) -> [[Int]] {
    var selections: [(points: Int, size: Int, groups: [Int])] = []
    for selection in combinations(of: count) {
      let size = selection.reduce(0) { $0 + groups[$1].cores.count }
      guard size >= count, selection.count <= count else { continue }
      // The smallest hole that is large enough leaves the largest one to whoever comes next.
      selections.append((points(of: selection, count), size, selection))
    }
    selections.sort { left, right in
      (left.points, left.size, -(left.groups.last ?? 0))
        < (right.points, right.size, -(right.groups.last ?? 0))
    }
    return selections.map(\.groups)
  }

  private func combinations(of count: Int) -> [[Int]] {
    if groups.count <= Self.exhaustiveLimit {
      return (1..<(1 << groups.count)).map { mask in
        groups.indices.filter { mask & (1 << $0) != 0 }
      }
    }
    let single = groups.indices.map { [$0] }
    let bySize = groups.indices.sorted {
      (-groups[$0].cores.count, $0) < (-groups[$1].cores.count, $1)
    }
    let byCost = groups.indices.sorted {
      (points(of: [$0], 1), -groups[$0].cores.count, $0)
        < (points(of: [$1], 1), -groups[$1].cores.count, $1)
    }
    return single
      + [bySize, byCost].map { order in
        var size = 0
        return Array(
          order.prefix { group in
            defer { size += groups[group].cores.count }
            return size < count
          })
      }
  }

  /// The points of all that depends on the caches.
  private func points(of selection: [Int], _ count: Int) -> Int {
    var uses: [(cache: Int, vcpus: Int)] = []
    var points = 0
    for core in taken(count, of: selection) {
      let cache = premises.cores[core].cache
      if uses.last?.cache == cache {
        uses[uses.count - 1].vcpus += 1
      } else {
        uses.append((cache, 1))
      }
      if premises.cores[core].isOccupied { points += prices.occupiedCore }
      if !premises.cores[core].isSetAside, premises.hasSetAside {
        points += prices.notSetAside * premises.cores[core].threads.count
      }
    }
    return points + premises.cachePoints(uses, beyond: 1, at: prices)
  }

  /// So many cores of these caches, by cache and ascending in it: each cache has at least one, and
  /// the larger cache is filled first.
  private func taken(_ count: Int, of selection: [Int]) -> [Int] {
    let order = selection.sorted { left, right in
      (points(ofCache: left), left) < (points(ofCache: right), right)
    }
    var cores: [Int] = []
    for (position, group) in order.enumerated() {
      let toCome = order.count - position - 1
      let share = min(groups[group].cores.count, count - cores.count - toCome)
      cores += groups[group].cores.prefix(max(0, share))
    }
    return cores.sorted { (premises.cores[$0].cache, $0) < (premises.cores[$1].cache, $1) }
  }

  private func points(ofCache group: Int) -> Int {
    premises.sizePoints([(groups[group].cache, 1)], at: prices)
  }

  /// A CPU for each vCPU, core by core; nil where the cores have not that many threads.
  private func assignment(of vcpus: Int, to cores: [Int], _ layout: Layout) -> [Int]? {
    if cores.isEmpty { return nil }
    var counts = [Int](repeating: 0, count: cores.count)
    let limits = cores.map { premises.cores[$0].threads.count }
    var rest = vcpus
    if layout == .dense {
      // All threads of a core before the next one: at most one core is left half empty.
      for index in cores.indices {
        counts[index] = min(limits[index], rest)
        rest -= counts[index]
      }
    }
    while rest > 0 {
      let before = rest
      for index in cores.indices where rest > 0 && counts[index] < limits[index] {
        counts[index] += 1
        rest -= 1
      }
      if rest == before { return nil }
    }
    return zip(cores, counts).flatMap { premises.cores[$0].threads.prefix($1) }
  }
}
