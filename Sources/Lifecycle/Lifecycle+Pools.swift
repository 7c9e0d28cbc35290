internal import Facts
internal import HostModel
internal import Ledger
internal import Port
internal import Tunings

/// Counts a pool's pages at the moment at which it is changed.
extension Lifecycle {
  /// For a domain that comes in.
  func pools(forComing id: HolderID, until deadline: Deadline) -> PoolAccounts {
    var accounts = pools(until: deadline)
    accounts.need = { pool, need, ledger in
      let facts = try nodes(seenBy: id, in: ledger, until: deadline)
      let claim = Planner.claim(on: pool, need: need, on: facts)
      return PoolNeed(claim: claim, others: facts.surplusOfDomains(in: pool))
    }
    return accounts
  }

  /// For whoever gives back.
  func pools(until deadline: Deadline) -> PoolAccounts {
    PoolAccounts(
      lack: { pool, ledger in
        try Planner.lack(in: pool, on: nodes(seenBy: nil, in: ledger, until: deadline))
      },
      // It is read for the reason only: without it the sentence still says what was missing.
      memory: { try? FactReader(kernel: kernel, until: deadline).memoryFacts() })
  }

  func nodes(
    seenBy id: HolderID?, in ledger: Ledger, until deadline: Deadline
  ) throws -> HostFacts {
    let facts = try FactReader(kernel: kernel, until: deadline).memoryFacts()
    return try seenBeside(id, in: ledger, facts)
  }
}
