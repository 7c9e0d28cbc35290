internal import HostModel

/// Moves the pages of a node together, so that huge pages can be made of what lies between them.
///
/// Compaction is per node and leaves nothing to put back. It costs the node about 15 ms a GiB, so
/// by default it is tried only where a pool could not be filled without it.
struct MemoryCompaction: Tuning {
  static let name = "memory-compaction"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    needs.nodes = request.phase == .prepare && request.policy.memory.compaction == .always
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare, request.policy.memory.compaction == .always else {
      return plan
    }
    let bound = request.domain.cells.reduce(CPUList()) { $0.union($1.hostNodes ?? []) }
    for node in host.nodes where bound.contains(node.id) {
      plan.steps.append(
        PlannedStep(
          .compactMemory(node: node.id),
          because: "\(request.domain.name) has memory on node \(node.id)"))
    }
    return plan
  }

  /// What may be tried, in this order, where a node grants fewer huge pages than it was asked for.
  ///
  /// Caches are dropped only where the policy allows it, and never beside ZFS: together with
  /// compaction that crashes hosts (openzfs issue 15140).
  static func remedies(on node: Int, under policy: Policy.Memory, host: HostFacts) -> [Step] {
    var remedies: [Step] = policy.compaction == .never ? [] : [.compactMemory(node: node)]
    if policy.dropsCaches, !host.hasZFS { remedies = [.dropCaches] + remedies }
    return remedies
  }
}
