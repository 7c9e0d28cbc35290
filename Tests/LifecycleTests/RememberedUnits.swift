import Glibc
import HostModel
import Port

/// A systemd that knows only what it was told.
final class RememberedUnits: TransientUnits {
  var units: [TransientUnit] = []
  /// Called when its answer to who stands by is made.
  var whenListed: () -> Void = {}

  var names: [String] { units.map(\.startedName) }

  func startTransientUnit(_ unit: TransientUnit, until deadline: Deadline) throws(HostError) {
    if names.contains(unit.startedName) {
      throw HostError(.call, unit.name, errno: ErrorNumber.exists.number)
    }
    units.append(unit)
  }

  func stopUnit(_ unit: String, until deadline: Deadline) throws(HostError) {
    guard let index = names.firstIndex(of: unit) else {
      throw HostError(.call, unit, errno: ErrorNumber.notFound.number)
    }
    units.remove(at: index)
  }

  func state(of unit: String, until deadline: Deadline) throws(HostError) -> UnitState {
    let isThere = names.contains(unit)
    return UnitState(
      load: isThere ? "loaded" : "not-found", active: isThere ? "active" : "inactive")
  }

  func waitingUnits(like pattern: String, until deadline: Deadline) throws(HostError)
    -> [ListedUnit]
  {
    defer { whenListed() }
    return units.filter { fnmatch(pattern, $0.startedName, 0) == 0 }.map { unit in
      var listed = ListedUnit(
        name: unit.startedName, description: unit.description,
        state: UnitState(load: "loaded", active: "active"))
      listed.bindsTo = unit.bindsTo
      listed.elapses = unit.startsAfterSeconds.map {
        Deadline(nanoseconds: UInt64($0) * 1_000_000_000)
      }
      return listed
    }.sorted { $0.name < $1.name }
  }
}
