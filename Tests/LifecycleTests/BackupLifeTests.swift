import HostModel
import Ledger
import Testing

@testable import Lifecycle

/// What becomes of a machine that Proxmox starts under `lock: backup`.
///
/// QEMU is frozen at first. One that was stopped for its backup (stop mode) runs on while the lock is still
/// there; one that was off is stopped again, unless somebody has it run meanwhile.
struct BackupLifeTests {
  private static let machine = """
    name: web
    cores: 4
    memory: 4096
    affinity: 2-5
    hostpci0: 0000:02:00.0,driver=keep
    """
  private static let free = Array(repeating: "2-5", count: 4)
  private static let follow = "berth-follow.timer"

  private func start() throws -> ProxmoxLife {
    let life = try ProxmoxLife("lock: backup\n" + Self.machine)
    #expect(try life.play(.prepare) == [])
    #expect(try life.driver.hasSuffix("vfio-pci"))
    let words = try life.play(.started)
    #expect(words.count == 1 && words[0].contains("was started for a backup"), "\(words)")
    #expect(try life.pins == Self.free)
    #expect(life.units.names.contains(Self.follow))
    return life
  }

  @Test func aMachineThatWasOffGetsWhatItsStartNeedsAndGivesItBack() throws {
    let life = try start()
    #expect(try life.reconcile() == [])
    #expect(try life.pins == Self.free)
    try life.end()
    #expect(try life.play(.release) == [])
    #expect(try life.driver.hasSuffix("igb"))
    #expect(try life.store.load().isEmpty)
    #expect(!life.units.names.contains(Self.follow))
  }

  @Test func aMachineThatWasStoppedForItsBackupHasItsPinsAsSoonAsItRunsOn() throws {
    let life = try start()
    life.monitor.isRunning = true
    let words = try life.reconcile()
    #expect(words.contains { $0.contains("the guest of web runs now") }, "\(words)")
    #expect(try life.pins == ["2", "3", "4", "5"])
    #expect(try life.reconcile() == [])
    #expect(!life.units.names.contains(Self.follow))
    // The lock goes later, and changes nothing.
    try life.configure(Self.machine)
    #expect(try life.reconcile() == [])
    #expect(try life.pins == ["2", "3", "4", "5"])
  }

  @Test func aMachineThatSomebodyHasRunMeanwhileStaysOn() throws {
    let life = try start()
    // A QEMU that does not answer is asked again, and not at all once nobody has it frozen.
    life.monitor.isRunning = nil
    #expect(try life.reconcile() == [])
    #expect(try life.pins == Self.free)
    try life.configure(Self.machine)
    let questions = life.monitor.questions
    #expect(try life.reconcile().count == 1)
    #expect(try life.pins == ["2", "3", "4", "5"])
    #expect(life.monitor.questions == questions)
  }

  /// Most backups are of a machine that runs, and goes on.
  @Test func aMachineThatRunsKeepsAllThatItHasDuringABackup() throws {
    let life = try ProxmoxLife(Self.machine)
    try life.play(.prepare)
    #expect(try life.play(.started) == [])
    try life.configure("lock: backup\n" + Self.machine)
    life.monitor.isRunning = nil
    #expect(try life.reconcile() == [])
    #expect(try life.pins == ["2", "3", "4", "5"])
    #expect(life.monitor.questions == 0)
  }

  @Test func aMachineWithoutPinsIsRememberedUntilItRuns() throws {
    let life = try ProxmoxLife(
      "lock: backup\nname: web\ncores: 4\nhostpci0: 0000:02:00.0,driver=keep")
    try life.play(.prepare)
    try life.play(.started)
    #expect(try life.store.load().awaitsMore)
    life.monitor.isRunning = true
    #expect(try life.reconcile().count == 1)
    #expect(try !life.store.load().awaitsMore)
  }

  // MARK: vCPUs that nobody foresaw

  @Test func moreVCPUsThanTheConfigurationTellsOfArePlaced() throws {
    let life = try ProxmoxLife("name: web\ncores: 2\naffinity: 2-5")
    #expect(
      try life.play(.started)
        == ["web runs 4 vCPUs, its configuration has 2: each is pinned"])
    #expect(try life.pins == ["2", "3", "4", "5"])
    // Said once.
    #expect(try life.reconcile() == [])
    #expect(try life.pins == ["2", "3", "4", "5"])
  }

  @Test func whereThereIsNoRoomForThemNoneIsPinned() throws {
    let life = try ProxmoxLife("name: web\ncores: 2\naffinity: 2-4")
    #expect(
      try life.play(.started)
        == ["web runs 4 vCPUs, its configuration has 2: vCPUs 0-3 are not pinned"])
    #expect(try life.pins == Self.free)
  }
}
