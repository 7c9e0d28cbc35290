internal import HostModel

extension Engine {
  /// Books what a hypervisor has done to pools by itself.
  ///
  /// After a reset, what Berth had obtained is there only as far as a pool has more than it had at
  /// first; the rest is missing, and is obtained anew when the pools are settled. For pages in use
  /// that costs nothing: the reset has made them surplus, and the kernel raises a pool by its surplus
  /// before it allocates any page (mm/hugetlb.c, `set_max_huge_pages`).
  func record(
    _ event: PoolEvent, of holder: HolderID, in ledger: inout Ledger, until deadline: Deadline
  ) throws(HostError) {
    for index in ledger.entries.indices where event.concerns(ledger.entries[index].setting) {
      switch event.kind {
      case .kept: ledger.entries[index].endClaim(of: holder)
      case .reset:
        let entry = ledger.entries[index]
        guard case .count(let original) = entry.original,
          case .count(let standing)? = try host.read(entry.setting, until: deadline)
        else { continue }
        ledger.entries[index].share = min(entry.share, max(0, standing - original))
        ledger.entries[index].endForeignClaims(of: ledger.holders.filter(\.isIn).map(\.id))
      }
    }
  }
}

extension PoolEvent {
  func concerns(_ setting: Setting) -> Bool {
    guard case .hugepagePool(let pool) = setting else { return false }
    return pool.pageKiB == pageKiB
  }
}

extension Entry {
  /// Has those who run claim no more than their own pages: the surplus of strangers that a pool grew by
  /// before theirs is surplus again, and no page of theirs waits behind it.
  fileprivate mutating func endForeignClaims(of holders: [HolderID]) {
    for held in claims where holders.contains(held.holder) {
      guard case .more(let count, let need) = held.claim, count > need else { continue }
      replaceClaim(of: held.holder, by: .more(need, need: need))
    }
  }

  /// Ends a domain's claim on a shared setting, and with it what was obtained for it.
  fileprivate mutating func endClaim(of holder: HolderID) {
    for held in claims where held.holder == holder {
      if case .more(let count, _) = held.claim { share = max(0, share - count) }
    }
    claims.removeAll(of: holder)
  }
}
