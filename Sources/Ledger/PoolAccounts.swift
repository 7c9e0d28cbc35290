package import HostModel

/// Who counts a pool's pages anew, at the moment at which it is changed.
///
/// Pools are everybody's: between a plan and its write, and between two attempts, others come and go
/// with pages of their own and of nobody's. Both questions are asked while nobody who keeps to a lock
/// changes the pool.
package struct PoolAccounts {
  /// What it takes for the domain that comes in to have so many pages of a pool, beside a ledger without
  /// its claim there; nil where its plan stands.
  package var need: (HugepagePool, Int, Ledger) throws -> PoolNeed?

  /// How many pages domains on their way in would lack if a pool gave back now what nobody claims.
  package var lack: (HugepagePool, Ledger) throws -> Int

  /// The host's memory as it is, to say later why a pool could not be filled; nil where it cannot be read.
  package var memory: () -> HostFacts?

  package init(
    need: @escaping (HugepagePool, Int, Ledger) throws -> PoolNeed? = { _, _, _ in nil },
    lack: @escaping (HugepagePool, Ledger) throws -> Int = { _, _ in 0 },
    memory: @escaping () -> HostFacts? = { nil }
  ) {
    self.need = need
    self.lack = lack
    self.memory = memory
  }
}

/// What a domain that comes in needs of a pool.
package struct PoolNeed: Hashable, Sendable {
  /// Pages that nobody has yet, and strangers' surplus, which a pool that grows takes first.
  package var claim: Claim
  /// Surplus pages of domains of the ledger, as a hypervisor's reset leaves them: a pool that grows
  /// takes these first, too.
  package var others: Int

  package init(claim: Claim, others: Int) {
    self.claim = claim
    self.others = others
  }
}
