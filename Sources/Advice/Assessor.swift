internal import HostModel

/// Judges places for one domain on one host.
///
/// All that follows from the vCPUs' CPUs is decided here, so that whoever looks for places has to
/// find nothing but those.
package struct Assessor: Sendable {
  let wish: Wish
  let premises: Premises
  let prices: Prices

  package init(_ wish: Wish, on premises: Premises) {
    self.wish = wish
    self.premises = premises
    prices = Prices(wish.goal)
  }

  /// The candidate that has these CPUs, one for each vCPU in their order; nil where a rule forbids
  /// it: a CPU that is not the domain's to have, two vCPUs on one CPU, cores of two kinds, too
  /// little memory.
  package func candidate(on cpus: [Int]) -> Candidate? {
    guard cpus.count == wish.vcpus, let seating = Seating(cpus, on: premises),
      let memory = premises.memoryPlan(
        for: seating.cells.map { ($0.node, $0.vcpus.count) }, memoryKiB: wish.memoryKiB)
    else { return nil }
    let emulator = emulatorCore(beside: seating)
    let service = CPUList(emulator.map { premises.cores[$0].threads } ?? [])
    let cores = seating.cores.map { premises.cores[$0.core] }
    let threads = CPUList(cores.flatMap(\.threads))
    // The profile that is written for latency has `cpu.whole-cores`.
    let idle = wish.goal == .latency ? threads.subtracting(CPUList(cpus)) : []
    var candidate = Candidate(
      goal: wish.goal, vcpus: cpus, emulator: service,
      sharesEmulator: emulator.map { premises.cores[$0].use == .housekeeping } ?? false,
      iothreads: wish.iothreadIDs.map { PinnedIOThread(id: $0, cpus: service) },
      cells: zip(seating.cells, memory.shares).map { cell, share in
        Candidate.Cell(
          vcpus: cell.vcpus, node: cell.node, memoryNode: share.node, memoryKiB: share.memoryKiB)
      },
      pageKiB: memory.pageKiB, shape: seating.shape,
      cores: cores.map { CPUList($0.threads) }, idle: idle,
      caches: seating.caches.map { premises.caches[$0] },
      kind: cores.first?.kind,
      housekeeping: premises.commonCPUs.subtracting(CPUList(cpus)).subtracting(idle),
      merits: [], costs: [], isPresent: cpus == wish.present)
    let verdict = Verdict(
      wish: wish, premises: premises, prices: prices, seating: seating, memory: memory,
      emulator: emulator, candidate: candidate)
    candidate.costs = verdict.costs
    candidate.merits = verdict.merits
    return candidate
  }

  /// The core for all that is no vCPU: of the domain's nodes, not where the host's own work is, in a
  /// cache of the domain's; of equals the last one.
  private func emulatorCore(beside seating: Seating) -> Int? {
    var best: (rank: Int, core: Int)?
    for (index, core) in premises.cores.enumerated() where !seating.has(index) {
      var rank: Int
      switch core.use {
      case .free where !core.isSetAside: rank = 6
      case .housekeeping: rank = 4
      case .service: rank = 2
      case .free, .tenant, .isolated, .homeless: continue
      }
      if seating.caches.contains(core.cache) { rank += 1 }
      if seating.cells.contains(where: { $0.node == core.node }) { rank += 8 }
      if rank >= best?.rank ?? 0 { best = (rank, index) }
    }
    return best?.core
  }
}
