import HostModel
import Support
import Testing

@testable import Lifecycle
@testable import Port

/// Guards are named after their holders, come once, and go with them.
struct GuardTests {
  private let holder = Holder(id: HolderID(hypervisor: .libvirt, id: "5ef4-d7a8"), name: "deck\nx")

  @Test func aTimerStandsByUntilTheDomainArrivesAndAServiceFromThenOn() throws {
    let units = RememberedUnits()
    let guardUnits = Guard(units: units, program: "/usr/sbin/berth", deadline: .distant)
    try guardUnits.guardArrival(of: holder)
    #expect(units.names == ["berth-arrival-libvirt-5ef4-d7a8.timer"])
    try guardUnits.guardScope(of: holder, named: "machine-qemu.scope")
    try guardUnits.removeArrival(of: holder)
    #expect(units.names == ["berth-guard-libvirt-5ef4-d7a8.service"])
    #expect(units.units.map(\.bindsTo) == [["machine-qemu.scope"]])
    #expect(units.units.map(\.stopPost) == [[UnitCommand("/usr/sbin/berth", ["reconcile"])]])
    try guardUnits.sweep(of: holder.id, besides: { [] }) { _ in false }
    #expect(units.names.isEmpty)
  }

  @Test func comingTwiceAndGoingTwiceDoesNoHarm() throws {
    let units = RememberedUnits()
    let guardUnits = Guard(units: units, program: "/usr/sbin/berth", deadline: .distant)
    try guardUnits.guardArrival(of: holder)
    try guardUnits.guardArrival(of: holder)
    try guardUnits.guardScope(of: holder, named: "a.scope")
    try guardUnits.guardScope(of: holder, named: "a.scope")
    #expect(units.names.count == 2)
    try guardUnits.sweep(of: holder.id, besides: { [] }) { _ in false }
    try guardUnits.sweep(of: holder.id, besides: { [] }) { _ in false }
    #expect(units.names.isEmpty)
  }

  @Test func aDomainThatComesWhileGuardsAreListedKeepsItsOwn() throws {
    let units = RememberedUnits()
    let guardUnits = Guard(units: units, program: "/b", deadline: .distant)
    var isListed = false
    units.whenListed = { isListed = true }
    try guardUnits.guardArrival(of: holder)
    try guardUnits.sweep(of: holder.id, besides: { isListed ? [holder] : [] }) { _ in false }
    #expect(units.names == ["berth-arrival-libvirt-5ef4-d7a8.timer"])
  }

  @Test func aStartUnderProxmoxIsLookedAfterUntilItIsOver() throws {
    let units = RememberedUnits()
    let id = HolderID(hypervisor: .proxmox, id: "100")
    var holder = Holder(id: id, name: "x", hook: ProcessIdentity(pid: 7, startTime: 1))
    try Guard(units: units, program: "/b", deadline: .distant).guardArrival(of: holder)
    #expect(units.units.map(\.startsAfterSeconds) == [20])
    #expect(units.units.map(\.repeatsAfterSeconds) == [20])
    units.units = []
    // Without its process nobody can tell that a start has failed, but only that it takes too long.
    holder.hook = nil
    try Guard(units: units, program: "/b", deadline: .distant).guardArrival(of: holder)
    #expect(units.units.map(\.startsAfterSeconds) == [660])
    #expect(units.units.map(\.repeatsAfterSeconds) == [20])
  }

  @Test func whatIsStillToComeIsLookedForUntilThereIsNothingMore() throws {
    let units = RememberedUnits()
    let guardUnits = Guard(units: units, program: "/usr/sbin/berth", deadline: .distant)
    try guardUnits.stopTimer()
    try guardUnits.startTimer()
    try guardUnits.startTimer()
    #expect(units.names == ["berth-follow.timer"])
    #expect(units.units.map(\.repeatsAfterSeconds) == [30])
    #expect(units.units.map(\.start) == [[UnitCommand("/usr/sbin/berth", ["reconcile"])]])
    try guardUnits.stopTimer()
    #expect(units.names.isEmpty)
  }

  @Test func noIdentityCanBecomePartOfAnotherUnitsName() throws {
    let units = RememberedUnits()
    let id = HolderID(hypervisor: .proxmox, id: "../a b\n@%i" + String(repeating: "x", count: 500))
    try Guard(units: units, program: "/b", deadline: .distant).guardArrival(
      of: Holder(id: id, name: "x"))
    let name = try #require(units.names.first)
    #expect(name == "berth-arrival-proxmox-\(OwnService.unitPart(id.id)).timer")
    #expect(!name.contains("/") && !name.contains(" ") && name.utf8.count < 120)
  }

  @Test func thoseThatStandByAreToldWithWhatTheyWaitFor() throws {
    let units = RememberedUnits()
    let guardUnits = Guard(units: units, program: "/usr/sbin/berth", deadline: .distant)
    try guardUnits.guardArrival(of: holder)
    try guardUnits.startTimer()
    let other = Holder(id: HolderID(hypervisor: .proxmox, id: "100"), name: "y")
    try guardUnits.guardScope(of: other, named: "100.scope")
    units.units.append(TransientUnit(name: "berth-backup.service", description: "somebody else's"))
    let found = try guardUnits.active(at: Deadline(nanoseconds: 0))
    #expect(
      found.map(\.unit) == [
        "berth-arrival-libvirt-5ef4-d7a8.timer", "berth-follow.timer",
        "berth-guard-proxmox-100.service",
      ])
    #expect(
      found.map(\.awaited) == [
        "for another 660 s", "for another 10 s", "for the end of 100.scope",
      ])
    #expect(found.allSatisfy { !$0.hasFailed })
  }

  @Test(
    arguments: [
      ("berth-guard-x.service", "failed", nil, true),
      ("berth-guard-x.service", "deactivating", "for berth reconcile to end", false),
      ("berth-arrival-x.service", "activating", "for berth reconcile to end", false),
      ("berth-follow.timer", "active", "for its service, which runs now", false),
    ] as [(String, String, String?, Bool)])
  func aGuardAtWorkOrInRuinsIsTold(
    name: String, active: String, awaited: String?, hasFailed: Bool
  ) throws {
    let unit = ListedUnit(
      name: name, description: "", state: UnitState(load: "loaded", active: active))
    let guardian = try #require(ActiveGuard(unit, at: Deadline(nanoseconds: 5)))
    #expect(guardian.awaited == awaited && guardian.hasFailed == hasFailed)
  }

  @Test(arguments: ["berth-arrival-x.service", "berth-follow.service", "berth-guard-x.service"])
  func aServiceThatIsNotNeededIsNoGuard(name: String) {
    let unit = ListedUnit(
      name: name, description: "", state: UnitState(load: "loaded", active: "inactive"))
    #expect(ActiveGuard(unit, at: Deadline(nanoseconds: 5)) == nil)
  }
}
