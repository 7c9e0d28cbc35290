internal import HostModel

/// Why a domain has no place on a host.
struct Shortage {
  private let wish: Wish
  private let premises: Premises

  init(_ wish: Wish, on premises: Premises) {
    self.wish = wish
    self.premises = premises
  }

  /// First what is short altogether, then each node.
  var sentences: [String] {
    [verdict] + premises.nodes.map(sentence(on:))
      + memoryOnly.map { "node \($0.node): no CPUs; \(words(on: $0))" }
  }

  private var free: [Premises.Core] { premises.cores.filter { $0.use == .free } }

  private var verdict: String {
    let counts = Dictionary(grouping: free, by: \.kind).mapValues { cores in
      cores.reduce(0) { $0 + $1.threads.count }
    }
    let most = counts.values.max() ?? 0
    if most < wish.vcpus {
      let kinds = counts.count > 1 ? " of one kind" : ""
      let want = wish.vcpus == 1 ? "wants" : "want"
      return
        "\(counted(wish.vcpus, "vCPU")) \(want) \(counted(wish.vcpus, "free CPU")), and the host has "
        + "\(most)\(kinds)"
    }
    let room = premises.memory.reduce(0) { $0 + $1.usableKiB }
    let pooled = premises.memory.map { memory in
      memory.pools.map { $0.free * $0.pageKiB }.max() ?? 0
    }
    if premises.knowsMemory, room + pooled.reduce(0, +) < wish.memoryKiB {
      let pages = pooled.reduce(0, +)
      return "\(MemorySize(kiB: wish.memoryKiB)) of memory are wanted, and the nodes have "
        + "\(MemorySize(kiB: room))"
        + (pages > 0 ? ", and \(MemorySize(kiB: pages)) in free huge pages" : "")
    }
    if wish.vcpus < premises.nodes.count, premises.knowsMemory {
      return "no node has \(MemorySize(kiB: wish.memoryKiB)) of memory, and "
        + "\(counted(wish.vcpus, "vCPU")) cannot be on the nodes that have it together"
    }
    return "no set of nodes has both the CPUs and the memory"
  }

  private func sentence(on node: Int) -> String {
    let cores = premises.cores.filter { $0.node == node }
    let mine = cores.filter { $0.use == .free }
    let count = mine.reduce(0) { $0 + $1.threads.count }
    var parts = [
      "\(counted(count, "free CPU")) in \(counted(mine.count, "core"))"
    ]
    parts += holders(of: cores)
    if let memory = premises.memory.first(where: { $0.node == node }), premises.knowsMemory {
      parts.append(words(on: memory))
    }
    return "node \(node): \(parts.joined(separator: "; "))"
  }

  /// Who has which CPUs of some cores.
  private func holders(of cores: [Premises.Core]) -> [String] {
    var holders: [(phrase: String, cpus: CPUList)] = []
    for core in cores {
      let phrase: String
      switch core.use {
      case .free, .homeless: continue
      case .housekeeping: phrase = "are kept for the host"
      case .tenant(let name): phrase = "have vCPUs of “\(name)”"
      case .service(let name): phrase = "have the emulator of “\(name)”"
      case .isolated: phrase = "are isolated for others"
      }
      if let index = holders.firstIndex(where: { $0.phrase == phrase }) {
        holders[index].cpus = holders[index].cpus.union(CPUList(core.threads))
      } else {
        holders.append((phrase, CPUList(core.threads)))
      }
    }
    return holders.map { "\($0.cpus) \($0.phrase)" }
  }

  /// Nodes without CPUs.
  private var memoryOnly: [NodeMemory] {
    premises.memory.filter { !premises.nodes.contains($0.node) && $0.totalKiB > 0 }
  }

  private func words(on memory: NodeMemory) -> String {
    let pools = memory.pools.filter { $0.free > 0 }.map { pool in
      "\(counted(pool.free, "free page")) of \(PageSize(kiB: pool.pageKiB))"
    }
    if memory.totalKiB == 0 { return "no memory" }
    let words = ["\(MemorySize(kiB: memory.usableKiB)) of memory available"] + pools
    return words.joined(separator: " and ")
  }
}
