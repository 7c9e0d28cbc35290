internal import HostModel

extension Engine {
  /// Ends a domain's claims on pages that its hypervisor has taken over, without giving them back.
  ///
  /// After a reset of the pools, what Berth had obtained for other domains as well is there only as
  /// far as the pool has more than it had at first; the rest is missing, and is obtained anew when
  /// the pools are settled.
  func handOver(
    _ handover: PoolHandover, of holder: HolderID, in ledger: inout Ledger
  ) throws(HostError) {
    for index in ledger.entries.indices where handover.concerns(ledger.entries[index].setting) {
      guard handover.isReset else {
        ledger.entries[index].endClaim(of: holder)
        continue
      }
      ledger.entries[index].claims.removeAll { $0.holder == holder }
      guard case .count(let original) = ledger.entries[index].original,
        case .count(let standing)? = try host.read(ledger.entries[index].setting)
      else { continue }
      let share = ledger.entries[index].share
      ledger.entries[index].share = min(share, max(0, standing - original))
    }
  }
}

extension PoolHandover {
  func concerns(_ setting: Setting) -> Bool {
    guard case .hugepagePool(let pool) = setting else { return false }
    return pool.pageKiB == pageKiB
  }
}

extension Entry {
  /// Ends a domain's claim on a shared setting, and with it what was obtained for it.
  fileprivate mutating func endClaim(of holder: HolderID) {
    for held in claims where held.holder == holder {
      if case .more(let count, _) = held.claim { share = max(0, share - count) }
    }
    claims.removeAll { $0.holder == holder }
  }
}
