import HostModel
import Ledger
import Testing

/// Work in progress: the claims of a start are its own process's to carry out, for as long as that
/// lives.
struct WorkTests {
  private static let own = DriverBinding(driver: "igb", override: nil)
  private static let other = PCIAddress("0000:42:00.0").map(Setting.driver) ?? Sample.governor
  private static let twin = PCIAddress("0000:41:00.0").map { address in
    Setting.functionAttribute(address, .powerControl)
  }

  private func host(pages: Int = 0) -> [Setting: Value] {
    [Sample.card: .driver(Self.own), Self.other: .driver(Self.own), Sample.pool: .count(pages)]
  }

  private func taker(_ name: String, _ settings: Setting..., isRequired: Bool = true) -> Visitor {
    Visitor(
      name,
      settings.map {
        Change($0, .alone(Sample.vfio), because: "card", isRequired: isRequired)
      })
  }

  private func reader(_ name: String, pages: Int) -> Visitor {
    Visitor(
      name,
      [Change(Sample.pool, .more(pages, need: pages), because: "memory", isRequired: true)])
  }

  /// A start whose first card is being bound while something else happens.
  private func world(inTheMiddleOf visitor: Visitor, _ meanwhile: @escaping (World) throws -> Void)
    throws -> World
  {
    let world = World(host())
    var failure: (any Error)?
    world.meanwhile = { world in
      // Another process, beside the one that is at work.
      let worker = world.running
      world.running = 1000
      world.alive.insert(1000)
      do { try meanwhile(world) } catch { failure = error }
      world.running = worker
    }
    try world.enter(visitor)
    if let failure { throw failure }
    return world
  }

  @Test func nobodyElseCarriesOutTheClaimsOfAStart() throws {
    let visitor = taker("a", Sample.card, Self.other)
    var during: Value?
    let world = try world(inTheMiddleOf: visitor) { world in
      let outcome = try world.recover()
      #expect(outcome == Outcome())
      during = world.values[Self.other]
    }
    #expect(during == .driver(Self.own))
    #expect(world.values[Self.other] == Sample.vfio)
    #expect(world.saved.holders.map(\.worker) == [nil])
  }

  @Test func twoProcessesDoNotStartOneVM() throws {
    let visitor = taker("a", Sample.card, Self.other)
    var refusal: (any Error)?
    let world = try world(inTheMiddleOf: visitor) { world in
      do { try world.enter(visitor) } catch { refusal = error }
    }
    #expect("\(try #require(refusal))".contains("process 1 still"))
    #expect(world.values[Sample.card] == Sample.vfio && world.values[Self.other] == Sample.vfio)
    try world.leave(visitor)
    #expect(world.values == host() && world.saved == Ledger())
  }

  @Test func whatADeadProcessWasAtIsCarriedOutByTheNext() throws {
    let world = World(host())
    // It dies between its two cards.
    world.meanwhile = { $0.budget = 0 }
    #expect(throws: (any Error).self) { try world.enter(taker("a", Sample.card, Self.other)) }
    #expect(world.values[Self.other] == .driver(Self.own))
    world.revive()
    try world.recover()
    #expect(world.values[Self.other] == Sample.vfio)
    try world.recover { _ in true }
    #expect(world.values == host() && world.saved == Ledger())
  }

  @Test func whoLeavesDoesNotWaitForWhoFillsAPoolAndThatOneGivesBackForIt() throws {
    let (a, b) = (reader("a", pages: 5), reader("b", pages: 3))
    let world = World(host(pages: 2))
    try world.enter(a)
    world.meanwhile = { world in
      let worker = world.running
      world.running = 1000
      world.alive.insert(1000)
      defer { world.running = worker }
      do {
        let outcome = try world.leave(a)
        #expect(outcome == Outcome())
      } catch {
        Issue.record(error)
      }
    }
    #expect(try world.enter(b) == Outcome())
    #expect(world.values[Sample.pool] == .count(5))
    try world.leave(b)
    #expect(world.values[Sample.pool] == .count(2) && world.saved == Ledger())
  }

  @Test func anyErrorOfAStartGivesBackWhatWasTaken() throws {
    let world = World(host())
    // The ledger's lock is somebody else's for a moment, in the middle of the start.
    world.meanwhile = { $0.refusedLocks = 1 }
    #expect(throws: LedgerError.self) { try world.enter(taker("a", Sample.card, Self.other)) }
    #expect(world.values == host() && world.saved == Ledger())
  }

  @Test func nothingIsTakenFromAVMThatRuns() throws {
    let world = World(host())
    var visitor = taker("a", Sample.card)
    try world.enter(visitor)
    visitor.holder.hasArrived = true
    visitor.changes = [
      Change(Self.other, .alone(Sample.vfio), because: "card", isRequired: true)
    ]
    world.refusals[Self.other] = 16
    let outcome = try world.enter(visitor)
    #expect(outcome.warnings.count == 1)
    #expect(world.values[Sample.card] == Sample.vfio)
  }

  @Test func aWriteThatWasLeftBehindIsNotForgotten() throws {
    let world = World(host())
    try world.enter(taker("a", Sample.card))
    world.leavesBehind[Sample.card] = 77
    let outcome = try world.leave(taker("a", Sample.card))
    #expect(outcome.failures.count == 1)
    world.leavesBehind = [:]
    // It may be about to do anything: nobody looks, nobody writes, and it is said each time.
    world.unreadable[Sample.card] = 5
    for _ in 0..<3 {
      let failures = try world.recover().failures
      #expect(failures.first?.contains("process 77 waits") == true)
    }
    #expect(world.values[Sample.card] == Sample.vfio)
    // It ends late, and half done.
    world.unreadable = [:]
    world.values[Sample.card] = .driver(DriverBinding(driver: nil, override: "igb"))
    world.alive.remove(77)
    #expect(try world.recover() == Outcome())
    #expect(world.values == host() && world.saved == Ledger())
  }

  @Test func aSettingOfAFunctionWithAWriteLeftBehindIsLeftAloneAsWell() throws {
    let twin = try #require(Self.twin)
    var host = host()
    host[twin] = .text("auto")
    let world = World(host)
    var visitor = taker("a", Sample.card)
    visitor.changes.insert(Change(twin, .exactly(.text("on")), because: "card"), at: 0)
    try world.enter(visitor)
    world.leavesBehind[Sample.card] = 77
    try world.leave(visitor)
    world.values[twin] = .text("on")
    world.saved.entries.append(Entry(setting: twin, original: .text("auto"), written: .text("on")))
    #expect(try world.recover().failures.contains { $0.contains("is left alone") })
    #expect(world.values[twin] == .text("on"))
    world.leavesBehind = [:]
    world.alive.remove(77)
    try world.recover()
    #expect(world.values == host && world.saved == Ledger())
  }

  @Test func whatIsLentDuringAGivingBackIsTheHypervisorsDoing() throws {
    let world = World(host())
    try world.enter(taker("a", Sample.card))
    let guest = Visitor("b", [Change(Sample.card, .lent(Sample.vfio), because: "card")])
    // Its claim is on record, and it waits for the lock of the card.
    world.meanwhile = { world in
      guard let index = world.saved.index(of: Sample.card) else { return }
      let change = guest.changes[0]
      let held = HeldClaim(holder: guest.holder.id, claim: change.claim, reason: change.reason)
      world.saved.put(guest.holder)
      world.saved.entries[index].claims = [held]
      world.saved.entries[index].written = Sample.vfio
    }
    try world.leave(taker("a", Sample.card))
    try world.recover()
    world.values[Sample.card] = Sample.vfio
    #expect(try world.leave(guest) == Outcome())
    #expect(world.values == host())
    #expect(world.saved == Ledger())
  }
}
