internal import HostModel

extension Verdict {
  /// What speaks for the place, what matters most first.
  var merits: [String] {
    [functionMerit, nodeMerit, cacheMerit, kindMerit, coreMerit, emulatorMerit, memoryMerit]
      .compactMap { $0 }
  }

  private var functionMerit: String? {
    let near = wish.functions.filter { function in
      function.node.map { candidate.nodes.contains($0) } ?? false
    }
    if near.isEmpty || premises.nodes.count < 2 { return nil }
    let names = near.map { "\($0.address)" }.joined(separator: " and ")
    return "\(names) \(near.count == 1 ? "is" : "are") on node "
      + "\(CPUList(near.compactMap(\.node)))"
  }

  private var nodeMerit: String? {
    guard candidate.nodes.count == 1, premises.nodes.count > 1 else { return nil }
    return "one node, so no guest NUMA needed"
  }

  private var cacheMerit: String? {
    guard candidate.caches.count == 1, let cache = candidate.caches.first, cache.isReal else {
      return nil
    }
    let size = cache.kiB.map { " of \(MemorySize(kiB: $0))" } ?? ""
    let others = premises.caches.compactMap(\.kiB)
    let isLargest = cache.kiB == premises.largestCacheKiB && others.contains { $0 != cache.kiB }
    return "all of its cores share one L3\(size)" + (isLargest ? ", the host's largest" : "")
  }

  private var kindMerit: String? {
    candidate.kind == .performance ? "its cores are performance cores" : nil
  }

  private var coreMerit: String {
    let threads = candidate.shape.threads
    let cores = seating.cores.count
    if threads > 1 {
      return "\(counted(cores, "whole core")), and the guest sees which \(threads) of "
        + "its vCPUs share one"
    }
    if seating.sharing == 0 {
      return "each vCPU has a core of its own"
    }
    return "whole cores: no other VM is on them"
  }

  private var emulatorMerit: String? {
    guard let emulator, candidate.nodes.contains(where: { $0 == premises.cores[emulator].node }),
      premises.cores[emulator].use == .free
    else { return nil }
    return "the emulator has \(candidate.emulator) beside it"
  }

  private var memoryMerit: String? {
    guard let size = memory.pageKiB, memory.madeKiB == 0 else { return nil }
    return "its pages of \(PageSize(kiB: size)) are free in the pool"
  }
}
