import HostModel
import Ledger

/// A ledger that lives as long as the test.
final class MemoryStore: LedgerStore {
  private var ledger = Ledger()

  func load() throws(LedgerError) -> Ledger { ledger }

  func save(_ ledger: Ledger) throws(LedgerError) { self.ledger = ledger }

  func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result { try body() }
}
