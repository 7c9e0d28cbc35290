internal import Bytes
internal import Formats
import HostModel
internal import Port

/// Pools of huge pages: `nr_hugepages` of a node.
///
/// - A write says how many *persistent* pages there should be, a reading shows the surplus ones,
///   too. Growing first makes surplus pages persistent, then allocates one page after another
///   until the node has no more. That fewer came than were asked for is no error.
/// - Shrinking frees free pages only, and of those none that somebody has mapped and not touched yet,
///   which are counted for all nodes together (mm/hugetlb.c, `set_max_huge_pages()`); what is left
///   beyond the target becomes surplus, which is freed as its users let go of it.
/// - Before 6.8 the surplus of other nodes counts as pages of this one, so that many too many are left
///   (`set_max_huge_pages()` there adds `nr_huge_pages` of the others and compares persistent ones).
/// - The counters below `/sys/kernel/mm/hugepages/` are the sums over all nodes. A kernel without NUMA has
///   them alone, and they are written as a node's are elsewhere.
struct HugepageManners: KernelManners {
  func apply(to path: HostPath) -> Bool { Pool(path: path) != nil }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    guard let count = Quantity.pages.number(text.trimmed), let pool = Pool(path: path) else {
      throw refusal(of: text, at: path, .invalid)
    }
    if pool.node == nil, tree.exists(Pool.nodes) { return try tree.replace(text, at: path) }
    let target = try count + miscounted(pool, in: tree)
    var counts = try pool.counts(in: tree)
    let persistent = counts.total - counts.surplus
    if target > persistent {
      let kept = min(counts.surplus, target - persistent)
      counts.surplus -= kept
      let fresh = try min(target - persistent - kept, room(in: pool, counts, tree))
      try store(counts, adding: fresh, to: pool, in: tree)
    } else {
      let freed = try min(counts.free, persistent - target, unreserved(pool.pageKiB, tree))
      counts.surplus += persistent - target - freed
      try store(counts, adding: -freed, to: pool, in: tree)
    }
    try updateSums(of: pool.pageKiB, in: tree)
  }

  private func miscounted(_ pool: Pool, in tree: RecordedTree) throws(HostError) -> Int {
    guard pool.node != nil,
      try RecordedKernel(root: tree.root).version() < KernelVersion(major: 6, minor: 8)
    else {
      return 0
    }
    var surplus = 0
    for other in try Pool.all(in: tree)
    where other.pageKiB == pool.pageKiB && other.node != pool.node {
      surplus += try other.counts(in: tree).surplus
    }
    return surplus
  }

  /// How many pages the node can still give.
  private func room(
    in pool: Pool, _ counts: PoolFacts, _ tree: RecordedTree
  ) throws(HostError) -> Int {
    let free = (try nodeMemory(pool, tree)["MemFree"] ?? 0) / pool.pageKiB
    let limits = try RecordedLimits(of: tree)
    guard let most = limits.number("max", of: "\(pool.directory)/nr_hugepages") else { return free }
    return max(0, min(free, most - counts.total))
  }

  private func store(
    _ counts: PoolFacts, adding pages: Int, to pool: Pool, in tree: RecordedTree
  ) throws(HostError) {
    try tree.replace("\(counts.total + pages)\n", at: "\(pool.directory)/nr_hugepages")
    try tree.replace("\(counts.free + pages)\n", at: "\(pool.directory)/free_hugepages")
    try tree.replace("\(counts.surplus)\n", at: "\(pool.directory)/surplus_hugepages")
    let moved = HugepagePool.kibibytes(in: pages, of: pool.pageKiB)
    for path: HostPath in pool.node == nil ? [pool.memory] : [pool.memory, "/proc/meminfo"] {
      var memory = MemoryInfo(try tree.text(of: path))
      for name in ["MemFree", "MemAvailable"] {
        if let free = memory[name] { memory.replace(name, by: max(0, free - moved)) }
      }
      try tree.replace(memory.text, at: path)
    }
  }

  /// How many free pages of a size, on any node, nobody has mapped.
  private func unreserved(_ pageKiB: Int, _ tree: RecordedTree) throws(HostError) -> Int {
    let reserved: HostPath = "/sys/kernel/mm/hugepages/hugepages-\(pageKiB)kB/resv_hugepages"
    var free = 0
    for pool in try Pool.all(in: tree) where pool.pageKiB == pageKiB {
      free += try pool.counts(in: tree).free
    }
    return tree.exists(reserved) ? max(0, free - (try tree.number(of: reserved, as: .pages))) : free
  }

  /// Frees what is surplus and neither in use nor mapped any more, in all pools.
  func drain(_ tree: RecordedTree) throws(HostError) {
    let pools = try Pool.all(in: tree)
    for pool in pools {
      var counts = try pool.counts(in: tree)
      let freed = try min(counts.surplus, counts.free, unreserved(pool.pageKiB, tree))
      if freed == 0 { continue }
      counts.surplus -= freed
      try store(counts, adding: -freed, to: pool, in: tree)
    }
    for pageKiB in Set(pools.map(\.pageKiB)).sorted() { try updateSums(of: pageKiB, in: tree) }
  }

  private func updateSums(of pageKiB: Int, in tree: RecordedTree) throws(HostError) {
    var sum = PoolFacts(pageKiB: pageKiB, total: 0, free: 0, surplus: 0)
    for pool in try Pool.all(in: tree) where pool.pageKiB == pageKiB {
      let counts = try pool.counts(in: tree)
      sum.total += counts.total
      sum.free += counts.free
      sum.surplus += counts.surplus
      try updateMemory(at: pool.memory, to: counts, of: pageKiB, tree)
    }
    let directory: HostPath = "/sys/kernel/mm/hugepages/hugepages-\(pageKiB)kB"
    try tree.replace("\(sum.total)\n", at: "\(directory)/nr_hugepages")
    try tree.replace("\(sum.free)\n", at: "\(directory)/free_hugepages")
    try tree.replace("\(sum.surplus)\n", at: "\(directory)/surplus_hugepages")
    try updateMemory(at: "/proc/meminfo", to: sum, of: pageKiB, tree)
  }

  /// `meminfo` counts the pages of the default size only.
  private func updateMemory(
    at path: HostPath, to counts: PoolFacts, of pageKiB: Int, _ tree: RecordedTree
  ) throws(HostError) {
    if MemoryInfo(try tree.text(of: "/proc/meminfo"))["Hugepagesize"] != pageKiB { return }
    var memory = MemoryInfo(try tree.text(of: path))
    memory.replace("HugePages_Total", by: counts.total)
    memory.replace("HugePages_Free", by: counts.free)
    memory.replace("HugePages_Surp", by: counts.surplus)
    try tree.replace(memory.text, at: path)
  }

  private func nodeMemory(_ pool: Pool, _ tree: RecordedTree) throws(HostError) -> MemoryInfo {
    MemoryInfo(try tree.text(of: pool.memory))
  }
}

/// One node's pool of one page size, in a recorded tree; the whole host's where the kernel has no nodes.
private struct Pool {
  var node: Int?
  var pageKiB: Int

  static let nodes: HostPath = "/sys/devices/system/node"
  private static let whole: HostPath = "/sys/kernel/mm"

  private var folder: HostPath { node.map { "\(Self.nodes)/node\($0)" } ?? Self.whole }
  var directory: HostPath { "\(folder)/hugepages/hugepages-\(pageKiB)kB" }
  var memory: HostPath { node == nil ? "/proc/meminfo" : "\(folder)/meminfo" }

  /// The pool whose `nr_hugepages` a path is; nil for any other file.
  init?(path: HostPath) {
    let size = path.parent
    let folder = size.parent.parent
    guard path.ends(with: "/nr_hugepages"), size.parent.ends(with: "/hugepages"),
      folder == Self.whole || folder.parent == Self.nodes,
      let pageKiB = size.name.rest(before: "kB").flatMap({
        Quantity.pageKibibytes.number(in: String($0), after: "hugepages-")
      })
    else { return nil }
    self.pageKiB = pageKiB
    if folder == Self.whole { return }
    guard let node = Quantity.node.number(in: folder.name, after: "node") else { return nil }
    self.node = node
  }

  static func all(in tree: RecordedTree) throws(HostError) -> [Pool] {
    var pools: [Pool] = []
    guard tree.exists(nodes) else { return try all(below: whole, in: tree) }
    for node in try tree.entries(of: nodes)
    where Quantity.node.number(in: node, after: "node") != nil {
      pools += try all(below: nodes.appending(node), in: tree)
    }
    return pools
  }

  private static func all(
    below folder: HostPath, in tree: RecordedTree
  ) throws(HostError) -> [Pool] {
    guard tree.exists("\(folder)/hugepages") else { return [] }
    return try tree.entries(of: "\(folder)/hugepages").compactMap { size in
      Pool(path: "\(folder)/hugepages/\(size)/nr_hugepages")
    }
  }

  func counts(in tree: RecordedTree) throws(HostError) -> PoolFacts {
    PoolFacts(
      pageKiB: pageKiB,
      total: try tree.number(of: "\(directory)/nr_hugepages", as: .pages),
      free: try tree.number(of: "\(directory)/free_hugepages", as: .pages),
      surplus: try tree.number(of: "\(directory)/surplus_hugepages", as: .pages))
  }
}

extension RecordedTree {
  /// The decimal number that a file holds.
  func number(of path: HostPath, as quantity: Quantity) throws(HostError) -> Int {
    let text = try text(of: path).trimmed
    guard let number = quantity.number(text) else { throw HostError(noNumber: text, at: path) }
    return number
  }
}
