import Dispatch
import Foundation
import HostModel

/// Where processes run one at a time, and the clock that they live by.
///
/// A process runs on a thread of its own and hands over by a semaphore: whoever is at work looks
/// for who is next, so that the same seed gives the same order on every machine. The clock moves
/// when somebody does something, and to the next moment at which anything is to happen when all
/// wait.
final class Stage: @unchecked Sendable {
  /// Nanoseconds since the boot.
  private(set) var now: UInt64 = 100_000_000_000
  private(set) var players: [Player] = []
  private(set) var switches = 0
  private var happenings: [(at: UInt64, number: Int, body: () -> Void)] = []
  private var count = 0
  private var random: Seeded
  private let end = DispatchSemaphore(value: 0)

  init(seed: UInt64) { random = Seeded(seed) }

  var time: Deadline { Deadline(nanoseconds: now) }

  /// Has something happen later; it happens at once and calls nobody who waits.
  func at(_ moment: UInt64, _ body: @escaping () -> Void) {
    if isFinishing { return }
    count += 1
    let place = happenings.firstIndex { $0.at <= moment } ?? happenings.count
    happenings.insert((moment, count, body), at: place)
  }

  func after(milliseconds: Int, _ body: @escaping () -> Void) {
    at(now + UInt64(max(0, milliseconds)) * 1_000_000, body)
  }

  /// Begins a process.
  @discardableResult
  func begin(_ name: String, seed: UInt64, _ body: @escaping (Player) -> Void) -> Player {
    let player = Player(name, on: self, worker: Worker.take(), seed: seed)
    players.append(player)
    player.worker.job = {
      body(player)
      self.leave(player)
    }
    return player
  }

  /// Lets all play until nobody has anything to do any more, all is as somebody waits for, or the
  /// clock passes a moment.
  func run(until moment: UInt64, orWhen isOver: @escaping () -> Bool = { false }) {
    limit = moment
    self.isOver = isOver
    guard let first = pick() else { return }
    hand(over: first)
    end.wait()
  }

  /// Ends whoever plays still.
  func finish() {
    isFinishing = true
    for player in players { player.kill() }
    happenings = []
    run(until: .max)
  }

  private var isFinishing = false
  private var limit = UInt64.max
  private var isOver: () -> Bool = { false }

  /// Lets time pass; what is due happens.
  func advance(_ nanoseconds: UInt64) { now += nanoseconds }

  /// Whether anything else is to happen before whoever is at work goes on.
  var isDue: Bool { happenings.last.map { $0.at <= now } ?? false }

  /// Lets others have their turn; returns when it is the player's again.
  func pass(_ player: Player) {
    guard let next = pick() else {
      // The clock has passed the end: nobody goes on.
      end.signal()
      player.worker.turn.wait()
      return
    }
    if next === player { return }
    hand(over: next)
    player.worker.turn.wait()
  }

  private func leave(_ player: Player) {
    players.removeAll { $0 === player }
    if !player.isDead { player.atEnd() }
    Worker.give(back: player.worker)
    if let next = pick() { hand(over: next) } else { end.signal() }
  }

  private func hand(over player: Player) {
    switches += 1
    player.worker.turn.signal()
  }

  /// Who is next; nil where all is over.
  private func pick() -> Player? {
    while true {
      while let happening = happenings.last, happening.at <= now {
        happenings.removeLast()
        happening.body()
      }
      let ready = players.filter { $0.wake <= now }
      if ready.count == 1 { return ready[0] }
      if !ready.isEmpty { return ready[random.pick(ready.count)] }
      if isOver() { return nil }
      let next = players.map(\.wake).min() ?? .max
      let moment = min(next, happenings.last?.at ?? .max)
      guard moment < limit else { return nil }
      now = max(now, moment)
    }
  }
}

/// A process of the simulated host, or another actor that takes time.
final class Player: @unchecked Sendable {
  let name: String
  let stage: Stage
  fileprivate let worker: Worker
  var random: Seeded
  /// From when on the player has something to do.
  var wake: UInt64
  /// Its number and the moment of its start; 0 for one that is no process.
  var pid = 0
  /// Whether it was killed: what it still does has no effect.
  var isDead = false
  /// The call before which it is killed.
  var death: Int?
  var calls = 0
  /// How long it was kept from going on by nobody's fault, in nanoseconds.
  var stalled: UInt64 = 0
  /// How long it waited for others' locks.
  var waited: UInt64 = 0
  /// The VM whose start it is; nil for another process.
  var starts: HolderID?
  /// The VM whose hook it is; nil for another process.
  var vm: HolderID?
  /// Whether Proxmox has just reset the pools of its page size.
  var comesAfterReset = false
  /// Whether systemd has not answered it once.
  var hasMetTheMute = false
  /// The lock that it waits for, and those that it has.
  var waitsFor: String?
  var holds: [String] = []
  /// Called when it dies or ends, to let go of what it holds.
  var atEnd: () -> Void = {}

  fileprivate init(_ name: String, on stage: Stage, worker: Worker, seed: UInt64) {
    self.name = name
    self.stage = stage
    self.worker = worker
    random = Seeded(seed)
    wake = stage.now
  }

  /// Waits until a moment, or until somebody wakes it.
  func sleep(until moment: UInt64) {
    if isDead { return }
    wake = moment
    stage.pass(self)
  }

  func sleep(milliseconds: Int) { sleep(until: stage.now + UInt64(milliseconds) * 1_000_000) }

  /// Ends it at once, wherever it is.
  func kill() {
    if isDead { return }
    isDead = true
    wake = stage.now
    atEnd()
  }
}

/// A thread that processes run on, one after the other.
final class Worker: @unchecked Sendable {
  let turn = DispatchSemaphore(value: 0)
  var job: () -> Void = {}

  private nonisolated(unsafe) static var idle: [Worker] = []
  private static let lock = NSLock()

  /// One that has nothing to do.
  static func take() -> Worker {
    lock.withLock { idle.popLast() } ?? Worker()
  }

  static func give(back worker: Worker) { lock.withLock { idle.append(worker) } }

  private init() {
    let thread = Thread { [self] in
      while true {
        turn.wait()
        let work = job
        job = {}
        work()
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
}
