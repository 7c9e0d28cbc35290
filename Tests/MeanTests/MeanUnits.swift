import Glibc
import Bytes
import HostModel
import Port

/// Transient units that really do something: their timers elapse, and they end with their scopes.
final class MeanUnits: TransientUnits {
  let world: World
  let player: Player

  init(_ world: World, _ player: Player) {
    self.world = world
    self.player = player
  }

  func startTransientUnit(
    _ unit: TransientUnit, until deadline: Deadline
  ) throws(HostError) {
    try call(unit.name, until: deadline)
    try world.make(unit)
    try world.step(player)
  }

  func stopUnit(_ unit: String, until deadline: Deadline) throws(HostError) {
    try world.call(unit, player, until: deadline)
    guard world.units[unit] != nil else {
      throw HostError(.call, unit, errno: ErrorNumber.notFound.number)
    }
    world.stop(unit)
    try world.step(player)
  }

  func state(of unit: String, until deadline: Deadline) throws(HostError) -> UnitState {
    try call(unit, until: deadline)
    return world.state(of: unit) ?? UnitState(load: "not-found", active: "inactive")
  }

  func waitingUnits(
    like pattern: String, until deadline: Deadline
  ) throws(HostError) -> [ListedUnit] {
    try call(pattern, until: deadline)
    return world.units.keys.sorted().filter { fnmatch(pattern, $0, 0) == 0 }.compactMap { name in
      world.units[name].map { listed(name, $0) }
    }
  }

  /// Asks systemd; whoever gets no answer may have nobody stand by.
  private func call(_ unit: String, until deadline: Deadline) throws(HostError) {
    do throws(HostError) {
      try world.call(unit, player, until: deadline)
    } catch {
      if !player.isDead { world.isUnguarded = true }
      throw error
    }
  }

  private func listed(_ name: String, _ unit: World.Unit) -> ListedUnit {
    var listed = ListedUnit(
      name: name, description: unit.unit.description,
      state: UnitState(load: "loaded", active: unit.isRunning ? "deactivating" : "active"))
    listed.bindsTo = unit.unit.bindsTo
    listed.elapses = unit.elapses
    return listed
  }
}

extension World {
  /// A unit that systemd has made for Berth, under the name of its timer where it has one.
  struct Unit {
    var unit: TransientUnit
    var number: Int
    /// When its timer elapses next.
    var elapses: Deadline?
    /// Whether what it runs at its end runs now.
    var isRunning = false
  }

  func state(of unit: String) -> UnitState? {
    if let unit = units[unit] {
      return UnitState(load: "loaded", active: unit.isRunning ? "deactivating" : "active")
    }
    if unit.hasSuffix(".scope") {
      let isThere = guests.contains { $0.scopeName == unit && $0.hasScope }
      return UnitState(
        load: isThere ? "loaded" : "not-found", active: isThere ? "active" : "inactive")
    }
    return nil
  }

  func make(_ unit: TransientUnit) throws(HostError) {
    let name = unit.startedName
    // Both the timer's name and the service's have to be free (core/dbus-manager.c,
    // `method_start_transient_unit()`).
    let service = units.values.contains { $0.unit.name == unit.name }
    if units[name] != nil || service {
      throw HostError(.call, unit.name, errno: ErrorNumber.exists.number)
    }
    for scope in unit.bindsTo {
      guard guests.contains(where: { $0.scopeName == scope && $0.hasScope }) else {
        throw HostError(.call, scope, errno: ErrorNumber.notFound.number)
      }
    }
    unitCount += 1
    units[name] = Unit(unit: unit, number: unitCount)
    note("systemd has \(name)")
    if let seconds = unit.startsAfterSeconds { elapse(name, unitCount, after: seconds) }
  }

  private func elapse(_ name: String, _ number: Int, after seconds: Int) {
    units[name]?.elapses = stage.time.advanced(byMilliseconds: seconds * 1000)
    stage.after(milliseconds: seconds * 1000) {
      guard let unit = self.units[name], unit.number == number else { return }
      self.units[name]?.elapses = nil
      let again = unit.unit.repeatsAfterSeconds
      // A timer that elapsed for the last time is over at once (`RemainAfterElapse=no`).
      if again == nil { self.units[name] = nil }
      let arguments = unit.unit.start.first?.arguments ?? []
      self.reconcile("\(unit.unit.name)", arguments) {
        if let again, self.units[name]?.number == number {
          self.elapse(name, number, after: again)
        }
      }
    }
  }

  /// Ends a unit, which runs what is to be run at its end; a timer just goes.
  func stop(_ name: String) {
    guard let unit = units[name] else { return }
    note("systemd stops \(name)")
    if unit.unit.startsAfterSeconds != nil || unit.unit.stopPost.isEmpty {
      units[name] = nil
      return
    }
    if unit.isRunning { return }
    units[name]?.isRunning = true
    reconcile(name) { self.units[name] = nil }
  }

  /// What systemd does when a scope is over.
  func scopeEnded(_ scope: String) {
    for name in units.keys.sorted() where units[name]?.unit.bindsTo.contains(scope) == true {
      stop(name)
    }
  }
}
