import HostModel
import Port
import Recorded

/// The manager as one process sees it, which may be mute for a while.
final class MeanSystemd: Systemd {
  let world: World
  let player: Player

  init(_ world: World, _ player: Player) {
    self.world = world
    self.player = player
  }

  private var systemd: RecordedSystemd { world.files.systemd }

  func state(of unit: String, until deadline: Deadline) throws(HostError) -> UnitState {
    try world.call(unit, player, until: deadline)
    if let state = world.state(of: unit) { return state }
    return try systemd.state(of: unit, until: deadline)
  }

  func service(
    named name: String, until deadline: Deadline
  ) throws(HostError) -> ServiceFacts {
    try world.call(name, player, until: deadline)
    return try systemd.service(named: name, until: deadline)
  }

  func start(_ unit: String, until deadline: Deadline) throws(HostError) {
    try world.call(unit, player, until: deadline)
    try systemd.start(unit, until: deadline)
    try world.step(player)
  }

  func stop(_ unit: String, until deadline: Deadline) throws(HostError) {
    try world.call(unit, player, until: deadline)
    try systemd.stop(unit, until: deadline)
    try world.step(player)
  }

  func stopUnit(_ unit: String, until deadline: Deadline) throws(HostError) {
    try world.call(unit, player, until: deadline)
    try systemd.stopUnit(unit, until: deadline)
    try world.step(player)
  }

  func startTransientUnit(_ unit: TransientUnit, until deadline: Deadline) throws(HostError) {
    try world.call(unit.name, player, until: deadline)
    try systemd.startTransientUnit(unit, until: deadline)
    try world.step(player)
  }

  func allowedCPUs(of unit: String, until deadline: Deadline) throws(HostError) -> CPUList {
    try world.call(unit, player, until: deadline)
    return try systemd.allowedCPUs(of: unit, until: deadline)
  }

  func setAllowedCPUs(
    _ cpus: CPUList, of unit: String, until deadline: Deadline
  ) throws(HostError) {
    try world.call(unit, player, until: deadline)
    try systemd.setAllowedCPUs(cpus, of: unit, until: deadline)
    try world.step(player)
  }

  func hasRuntimeDropIn(of unit: String) throws(HostError) -> Bool {
    try world.step(player)
    return try systemd.hasRuntimeDropIn(of: unit)
  }

  func removeRuntimeDropIn(of unit: String) throws(HostError) {
    try world.step(player)
    try systemd.removeRuntimeDropIn(of: unit)
    try world.step(player)
  }

  func reload(until deadline: Deadline) throws(HostError) {
    try world.call("reload", player, until: deadline)
  }
}

extension World {
  /// How long a process waits for an answer, and for another one once it has waited in vain
  /// (`SystemBus`).
  private static let patience: UInt64 = 5_000_000_000
  private static let patienceWithTheMute: UInt64 = 500_000_000

  /// Waits for systemd to answer.
  func call(
    _ unit: String, _ player: Player, until deadline: Deadline
  ) throws(HostError) {
    try step(player)
    guard now < muteUntil else { return }
    let patience = player.hasMetTheMute ? Self.patienceWithTheMute : Self.patience
    let end = min(deadline.nanoseconds, now + patience)
    note("\(player.name) asks systemd about \(unit), which is mute")
    while now < min(muteUntil, end), !player.isDead { player.sleep(until: min(muteUntil, end)) }
    if player.isDead { throw Self.killed }
    if now < muteUntil {
      player.hasMetTheMute = true
      throw HostError(.call, unit, errno: ErrorNumber.timedOut.number)
    }
  }
}
