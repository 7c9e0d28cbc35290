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

  func state(of unit: String) throws(HostError) -> UnitState {
    try world.call(unit, player)
    if let state = world.state(of: unit) { return state }
    return try systemd.state(of: unit)
  }

  func service(named name: String) throws(HostError) -> ServiceFacts {
    try world.call(name, player)
    return try systemd.service(named: name)
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

  func stopUnit(_ unit: String) throws(HostError) {
    try world.call(unit, player)
    try systemd.stopUnit(unit)
    try world.step(player)
  }

  func startTransientUnit(_ unit: TransientUnit, until deadline: Deadline) throws(HostError) {
    try world.call(unit.name, player, until: deadline)
    try systemd.startTransientUnit(unit, until: deadline)
    try world.step(player)
  }

  func allowedCPUs(of unit: String) throws(HostError) -> CPUList {
    try world.call(unit, player)
    return try systemd.allowedCPUs(of: unit)
  }

  func setAllowedCPUs(_ cpus: CPUList, of unit: String) throws(HostError) {
    try world.call(unit, player)
    try systemd.setAllowedCPUs(cpus, of: unit)
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

  func reload() throws(HostError) { try world.call("reload", player) }
}

extension World {
  /// How long a call waits for an answer that nobody has set a time for (`Live`).
  private static let patience: UInt64 = 5_000_000_000

  /// Waits for systemd to answer.
  func call(
    _ unit: String, _ player: Player, until deadline: Deadline? = nil
  ) throws(HostError) {
    try step(player)
    guard now < muteUntil else { return }
    let end = deadline?.nanoseconds ?? now + Self.patience
    note("\(player.name) asks systemd about \(unit), which is mute")
    while now < min(muteUntil, end), !player.isDead { player.sleep(until: min(muteUntil, end)) }
    if player.isDead { throw Self.killed }
    if now < muteUntil {
      throw HostError(.call, unit, errno: ErrorNumber.timedOut.number)
    }
  }
}
