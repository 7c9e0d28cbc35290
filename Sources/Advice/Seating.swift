internal import HostModel

/// Which vCPUs of a domain sit together: on a core, in a cache, on a node.
struct Seating {
  /// A core and how many vCPUs are on it, in the order of the vCPUs.
  private(set) var cores: [(core: Int, vcpus: Int)] = []
  /// The nodes, each with its vCPUs, in the order of the vCPUs.
  private(set) var cells: [(node: Int, vcpus: CPUList)] = []
  /// Ascending, as positions in `Premises.caches`.
  private(set) var caches: [Int] = []
  private(set) var shape: GuestShape
  /// By core; 0 where the domain has none on it.
  private let vcpusOfCore: [Int]

  /// Nil where a CPU is not free, has two vCPUs, or is of another kind than the others.
  init?(_ cpus: [Int], on premises: Premises) {
    var seen = CPUList()
    var counts = [Int](repeating: 0, count: premises.cores.count)
    var order: [Int] = []
    var runs: [Int] = []
    var nodes: [Int] = []
    for (vcpu, cpu) in cpus.enumerated() {
      guard let index = premises.core(of: cpu), !seen.contains(cpu) else { return nil }
      let core = premises.cores[index]
      guard core.use == .free, let node = core.node,
        order.first.map({ premises.cores[$0].kind == core.kind }) ?? true
      else { return nil }
      seen.insert(cpu)
      nodes.append(node)
      if counts[index] > 0, order.last == index {
        runs[runs.count - 1] += 1
      } else {
        runs.append(1)
        order.append(index)
      }
      counts[index] += 1
      if let cell = cells.firstIndex(where: { $0.node == node }) {
        cells[cell].vcpus.insert(vcpu)
      } else {
        cells.append((node, [vcpu]))
      }
    }
    var named = CPUList()
    for index in order where !named.contains(index) {
      named.insert(index)
      cores.append((index, counts[index]))
    }
    caches = Array(CPUList(cores.map { premises.cores[$0.core].cache }))
    vcpusOfCore = counts
    // Runs of one length on cores of their own are what a guest can be told of.
    let threads = runs.count == cores.count && Set(runs).count == 1 ? runs.first ?? 1 : 1
    shape = GuestShape(
      sockets: 1, dies: 1, cores: cpus.count, threads: threads.nonzeroBitCount == 1 ? threads : 1)
    if Self.blocks(of: nodes) == cells.count { shape.sockets = cells.count }
    if premises.hasDies { makeDies(order.map { premises.cores[$0].cache }, runs) }
    shape.cores = cpus.count / shape.sockets / shape.dies / shape.threads
  }

  /// Whether the domain has vCPUs on a core.
  func has(_ core: Int) -> Bool { vcpusOfCore[core] > 0 }

  /// How many vCPUs have another one on their core.
  var sharing: Int { cores.reduce(0) { $0 + ($1.vcpus > 1 ? $1.vcpus : 0) } }

  /// Makes dies of equal caches within the sockets; each run of vCPUs is on one core, in a cache.
  private mutating func makeDies(_ cachesOfRuns: [Int], _ runs: [Int]) {
    var vcpus: [Int] = []
    for (cache, count) in zip(cachesOfRuns, runs) { vcpus += repeatElement(cache, count: count) }
    let blocks = Self.blocks(of: vcpus)
    if blocks == caches.count, blocks % shape.sockets == 0 { shape.dies = blocks / shape.sockets }
  }

  /// How many runs of equal values there are, if all are of one length; 1 where they are not.
  private static func blocks(of values: [Int]) -> Int {
    var count = 1
    for index in values.indices.dropFirst() where values[index] != values[index - 1] { count += 1 }
    let length = values.count / count
    let isEqual = values.indices.allSatisfy { index in
      index % length == 0
        ? index == 0 || values[index] != values[index - 1] : values[index] == values[index - 1]
    }
    return isEqual ? count : 1
  }
}
