import Bytes
import HostModel
import Ledger
import Lifecycle
import Port
internal import Recorded
import Support
import Testing

/// Somebody always comes back: for a VM that never arrives, for one that leaves without a word, and
/// for what could not be given back at once.
struct ComebackTests {
  private let units = RememberedUnits()

  private func card(_ policy: inout Policy) {
    if let address = PCIAddress("0000:45:00.0") { policy.pci.functions = [address] }
  }

  private func domain(_ name: String, on cpu: Int) -> Domain {
    RecordedLife.domain(name, on: [cpu])
  }

  private func comeQEMU(_ name: String, _ pid: Int, _ life: RecordedLife) throws {
    try life.host.add(
      """
      run/libvirt/qemu/\(name).pid\t\(pid)
      proc/\(pid)/stat\t\(pid) (qemu) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0
      proc/\(pid)/cgroup\t0::/machine.slice/machine-qemu\\x2d1\\x2d\(name).scope
      proc/\(pid)/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=\(name),debug-threads=on\\0\\c

      """)
  }

  private var retries: [TransientUnit] { units.units.filter { $0.name.hasPrefix("berth-retry") } }

  @Test func aGuardStandsByBeforeAnythingIsTaken() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    var standing: [String] = []
    life.store.beforeSaving = { [units] in
      if standing.isEmpty { standing = units.names }
    }
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    #expect(standing.contains { $0.hasPrefix("berth-arrival-libvirt-a") })
  }

  @Test func aStartThatIsRefusedLeavesNoGuard() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    _ = try? life.play(.prepare, domain("a", on: 5)) {
      $0.pci.functions = [PCIAddress("0000:77:00.0")].compactMap { $0 }
    }
    #expect(units.names == [])
  }

  @Test func theGuardOfAVMThatAnotherStartFindsGoneGoesToo() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    try comeQEMU("a", 40, life)
    #expect(try life.play(.started, domain("a", on: 5), card) == [])
    #expect(units.names == ["berth-guard-libvirt-a-40.service"])
    try life.host.remove("/proc/40")
    try life.host.remove("/run/libvirt/qemu")
    #expect(try life.play(.prepare, domain("b", on: 6), card) == [])
    #expect(!units.names.contains { $0.hasPrefix("berth-guard-libvirt-a") })
    #expect(try life.ledger().holders.map(\.name) == ["b"])
  }

  @Test func whoeverLooksStandsByForAVMWhoseHookWasKilledBeforeItCouldHaveThat() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    try comeQEMU("a", 40, life)
    #expect(try life.play(.started, domain("a", on: 5), card) == [])
    units.units = []
    #expect(try life.reconcile() == [])
    #expect(units.names == ["berth-guard-libvirt-a-40.service"])
    #expect(try life.reconcile() == [])
    #expect(units.names == ["berth-guard-libvirt-a-40.service"])
  }

  /// A card takes seconds to go back to its driver, and whoever reads its files meanwhile waits.
  @Test func aStartWaitsForWhoeverStillGivesItsCardBack() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    let function = try Card.address(0)
    let claim = { (policy: inout Policy) in policy.pci.functions = [function] }
    #expect(try life.play(.prepare, domain("a", on: 5), claim) == [])
    let probe: HostPath = "/sys/bus/pci/drivers_probe"
    try life.host.remove(probe)
    #expect(try life.play(.release, domain("a", on: 5)) != [])
    try life.host.add("\(probe.below(.root))\t\\c\n")
    let before = life.store.locks.count
    #expect(try life.play(.prepare, domain("a", on: 5), claim) == [])
    #expect(life.store.locks[before] == .setting(.driver(function)))
  }

  @Test func whatCannotBeGivenBackIsTriedAgainAfterLongerAndLongerPauses() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    let probe: HostPath = "/sys/bus/pci/drivers_probe"
    try life.host.remove(probe)
    #expect(try life.play(.release, domain("a", on: 5)) != [])
    for attempt in 1...3 {
      #expect(retries.map(\.name) == ["berth-retry-\(attempt).service"])
      #expect(retries.map(\.startsAfterSeconds) == [10 << (attempt - 1)])
      #expect(retries.first?.start.first?.arguments == ["reconcile", "--attempt", "\(attempt)"])
      units.units = []
      if attempt == 3 { try life.host.add("\(probe.below(.root))\t\\c\n") }
      _ = try life.reconcile(attempt: attempt)
    }
    #expect(units.names == [])
    #expect(try life.ledger() == Ledger())
    #expect(try life.difference(below: "/sys/bus/pci/devices") == [])
  }

  @Test func aVMWhoseDaemonHasForgottenItIsGoneAfterAWhile() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    try comeQEMU("a", 40, life)
    #expect(try life.play(.started, domain("a", on: 5), card) == [])
    try life.host.remove("/proc/40")
    // libvirt may still clean up: the pid file is there.
    #expect(try life.reconcile() == [])
    #expect(try life.ledger().holders.map(\.name) == ["a"])
    #expect(retries.map(\.name) == ["berth-retry-1.service"])
    var ledger = try life.ledger()
    ledger.holders[0].ended = (ledger.holders[0].ended ?? 0) - 121
    try life.store.save(ledger)
    #expect(try life.reconcile(attempt: 1) == [])
    #expect(try life.ledger() == Ledger())
    #expect(units.names == [])
  }

  @Test func aVMWhoseQEMUIsNotRecognisedIsNotTakenApartByTime() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    #expect(try life.play(.started, domain("a", on: 5), card).count == 1)
    #expect(units.names == [])
    var ledger = try life.ledger()
    ledger.holders[0].since -= 100_000
    try life.store.save(ledger)
    #expect(try life.reconcile() == [])
    #expect(try life.ledger().holders.map(\.name) == ["a"])
    // It is looked for again, and its end is noticed then.
    try comeQEMU("a", 40, life)
    #expect(try life.reconcile() == [])
    #expect(try life.ledger().holders.map(\.process?.pid) == [40])
  }

  @Test func theGuardOfANewStartStaysWhenTheEndOfTheLastOneIsOver() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    try comeQEMU("a", 40, life)
    #expect(try life.play(.started, domain("a", on: 5), card) == [])
    try life.host.remove("/proc/40")
    try life.host.remove("/run/libvirt/qemu")
    life.store.meanwhile = { [self] in
      let said = try life.play(.prepare, domain("a", on: 5), card)
      #expect(said == [])
    }
    #expect(try life.play(.release, domain("a", on: 5), card) == [])
    #expect(units.names == ["berth-arrival-libvirt-a.timer"])
  }

  @Test func guardsOfNobodyAreTakenAway() throws {
    let life = try RecordedLife(Card.lines(), units: units)
    #expect(try life.play(.prepare, domain("a", on: 5), card) == [])
    units.units.append(TransientUnit(name: "berth-guard-libvirt-z-99.service", description: "x"))
    // Its process lives, and may be about to take something.
    try life.host.add("proc/98/stat\t98 (qemu) S 1\n")
    units.units.append(
      TransientUnit(name: "berth-guard-libvirt-y-98.service", description: "x"))
    #expect(try life.reconcile() == [])
    #expect(
      units.names == ["berth-arrival-libvirt-a.timer", "berth-guard-libvirt-y-98.service"])
  }
}
