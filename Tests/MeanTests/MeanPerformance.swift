import HostModel
import Ledger

/// Plays a history to its end, and lets time pass until all that is to happen by itself has happened.
struct MeanPerformance {
  private(set) var tally = Tally()
  private(set) var findings: [Finding] = []
  private(set) var trace: [String] = []

  /// How long after the last one has left all is to be back, in seconds.
  private static let patience = 2_000
  /// The longest history, in seconds.
  private static let longest: UInt64 = 20_000

  init(of history: MeanHistory, on files: HostFiles, tracing: Bool = false) throws {
    let world = World(files, seed: history.seed)
    if tracing { world.trace = [] }
    world.guests = try (0..<Guest.count).map(Guest.make)
    world.tally.histories = 1
    for (number, moment) in history.moments.enumerated() {
      let seed = history.seed &* 1_000_003 ^ UInt64(number)
      world.momentsLeft += 1
      world.stage.after(milliseconds: moment.at) {
        world.momentsLeft -= 1
        world.stage.begin("\(moment.act)", seed: seed) { world.play(moment.act, by: $0) }
      }
    }
    try Self.end(world)
    tally = world.tally
    tally.switches = world.stage.switches
    findings = world.findings
    for finding in findings { tally.findings[finding.kind, default: 0] += 1 }
    trace = world.trace ?? []
  }

  private static func end(_ world: World) throws {
    let start = world.now
    // As long as anybody but timers has anything to do.
    world.stage.run(until: start + longest * 1_000_000_000) {
      world.stage.players.isEmpty && world.guests.allSatisfy { !$0.runs }
        && world.momentsLeft == 0
    }
    world.stage.run(until: world.now + UInt64(patience) * 1_000_000_000) {
      world.ledger.isEmpty && world.units.isEmpty && world.stage.players.isEmpty
        && world.writesLeft == 0
    }
    if world.isUnguarded {
      // Where nobody could stand by, the next event is what is left: of which VM, is no matter. A VM
      // that never came counts as gone by then.
      world.stage.after(milliseconds: 700_000) { world.reconcile("an administrator") }
      world.stage.run(until: world.now + 701_000_000_000)
      world.stage.run(until: world.now + UInt64(patience) * 1_000_000_000) {
        world.ledger.isEmpty && world.units.isEmpty && world.stage.players.isEmpty
      }
    }
    world.stage.finish()
    if world.hasProxmoxLeft { try world.resetPools() }
    for line in try world.files.differences(wanted: world.due) { world.find(.residue, line) }
    if !world.ledger.isEmpty {
      world.find(
        .residue,
        "the ledger keeps \(world.ledger.holders.map(\.name))"
          + " \(world.ledger.entries.map { "\($0.setting)" })")
    }
    for name in world.units.keys.sorted() { world.find(.unit, "\(name) is there") }
  }
}
