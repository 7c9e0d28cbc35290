import HostModel
import Ledger

/// A ledger that lives as long as the test.
final class MemoryStore: LedgerStore {
  private var ledger = Ledger()
  /// The locks that were taken, each time.
  private(set) var locks: [LedgerLock] = []
  /// What another process does as soon as the ledger is nobody's; once.
  var meanwhile: (() throws -> Void)?

  func load() throws(LedgerError) -> Ledger { ledger }

  /// Called before each time that the ledger is replaced.
  var beforeSaving: () -> Void = {}

  func save(_ ledger: Ledger) throws(LedgerError) {
    beforeSaving()
    self.ledger = ledger
  }

  func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    locks.append(lock)
    let result = try body()
    if lock == .ledger, let visit = meanwhile {
      meanwhile = nil
      try visit()
    }
    return result
  }
}
