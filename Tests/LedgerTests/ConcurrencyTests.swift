import HostModel
import Ledger
import Testing

/// Two processes at the same time: while one is in the middle of a slow write, which holds no lock
/// but its own, another one may do all that it wants.
struct ConcurrencyTests {
  private typealias Call = @Sendable (World) throws -> Outcome

  private static let calls: [Call] =
    Crowd.all.flatMap { visitor -> [Call] in
      [{ try $0.enter(visitor) }, { try $0.leave(visitor) }]
    } + [{ try $0.recover() }]

  @Test func whateverAnotherProcessDoesDuringASlowWriteIsGivenBackInTheEnd() throws {
    var meetings = 0
    for first in Self.calls {
      for outer in Self.calls {
        for inner in Self.calls {
          let world = World(Crowd.host)
          _ = try? first(world)
          var hasMet = false
          world.meanwhile = { world in
            hasMet = true
            // A rejection is an answer, too; being kept waiting for the ledger would not be.
            do {
              _ = try inner(world)
            } catch let error as LedgerError {
              Issue.record("\(error)")
            } catch {}
          }
          _ = try? outer(world)
          meetings += hasMet ? 1 : 0
          world.meanwhile = nil
          try world.recover { _ in true }
          #expect(world.values == Crowd.host && world.saved == Ledger())
          #expect(world.wroteUnlocked.isEmpty)
        }
      }
    }
    #expect(meetings > 100)
  }
}
