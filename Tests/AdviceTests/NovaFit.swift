import Advice
import HostModel

/// Which guests with dedicated CPUs OpenStack's scheduler accepts on one node of a host, as
/// `_numa_fit_instance_cell()` and `_pack_instance_onto_cores()` in nova/virt/hardware.py decide.
///
/// What is left out: limits of shared CPUs, networks, memory encryption, and the thread policy
/// `isolate`, which no advice asks for.
struct NovaFit {
  /// One node of the host.
  struct HostCell {
    var id: Int
    /// The free CPUs of each core.
    var siblings: [CPUList]
    /// The free memory in each page size, the smallest first; the first is that of ordinary pages.
    var pages: [(sizeKiB: Int, freeKiB: Int)]
  }

  enum ThreadPolicy {
    case prefer
    /// The guest is to have siblings.
    case require
  }

  var vcpus: Int
  var memoryKiB: Int
  /// nil asks for no size.
  var pageKiB: Int?
  var policy = ThreadPolicy.prefer

  func isAccepted(on cell: HostCell) -> Bool {
    hasMemory(cell) && vcpus <= cell.siblings.reduce(0) { $0 + $1.count } && packs(onto: cell)
  }

  private func hasMemory(_ cell: HostCell) -> Bool {
    // A dedicated guest that asks for no size gets the smallest, and no overcommitment.
    let size = pageKiB ?? cell.pages.first?.sizeKiB ?? 4
    guard let pool = cell.pages.first(where: { $0.sizeKiB == size }) else { return false }
    return memoryKiB % size == 0 && memoryKiB <= pool.freeKiB
  }

  /// Whether for some number of threads, from the greatest on, enough cores have that many free.
  private func packs(onto cell: HostCell) -> Bool {
    let widest = cell.siblings.map(\.count).max() ?? 0
    let least = policy == .require ? 2 : 1
    for threads in stride(from: widest, through: least, by: -1) {
      let cores = cell.siblings.count { $0.count >= threads }
      if cores * threads >= vcpus { return true }
    }
    // `prefer` takes single threads where nothing else is left.
    return policy == .prefer
  }
}

extension NovaFit.HostCell {
  /// A node as nova sees it where the host's own core is in no `cpu_dedicated_set`.
  ///
  /// Nova divides cores between guests; with `wholeCores` it does not.
  init(_ node: TopologyNode, of situation: Situation, wholeCores: Bool, kind: CoreKind?) {
    let topology = situation.machine.topology
    // A record may have domains in, whose CPUs are isolated.
    let taken = situation.tenants.reduce(topology.isolatedCPUs) {
      $0.union($1.vcpus).union(wholeCores ? $1.service : [])
    }
    let cores = topology.cores.dropFirst().filter { core in
      core.isSubset(of: node.cpus)
        && (!wholeCores
          || core.isDisjoint(with: taken)
            && topology.cpus.first { $0.id == core.first }?.kind == kind)
    }
    self.init(
      id: node.id, siblings: cores.map { $0.subtracting(taken) }.filter { !$0.isEmpty },
      pages: [(4, node.freeKiB)])
  }
}
