import HostModel
import Ledger

/// The ledger as one process sees it.
final class MeanStore: LedgerStore {
  let world: World
  let player: Player

  init(_ world: World, _ player: Player) {
    self.world = world
    self.player = player
  }

  func load() throws(LedgerError) -> Ledger {
    try step()
    return world.ledger
  }

  func save(_ ledger: Ledger) throws(LedgerError) {
    try step()
    if world.locks["lock"]?.holder !== player {
      world.find(.text, "\(player.name) saves the ledger without its lock")
    }
    world.ledger = ledger
    try step()
  }

  func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    try step()
    let name =
      switch lock {
      case .ledger: "lock"
      case .setting(let setting): "lock.\(setting.lockName)"
      }
    guard world.take(name, player, until: deadline) else {
      throw LedgerError.locked(path: name, heldBy: nil)
    }
    defer { world.release(name, player) }
    try step()
    return try body()
  }

  private func step() throws(LedgerError) {
    do throws(HostError) {
      try world.step(player)
    } catch {
      throw .host(error)
    }
  }
}
