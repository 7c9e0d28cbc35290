import Port
import Testing

@testable import Live

/// What of a program's rights systemd takes away.
struct ConfinementTests {
  private func names(_ unit: TransientUnit) -> Set<String> { Set(unit.properties.map { $0.0 }) }

  @Test func onlyWhatAsksForItIsConfinedAndByNoMountNamespace() {
    var unit = TransientUnit(name: "x.service", description: "x")
    let free = names(unit)
    unit.isConfined = true
    let added = names(unit).subtracting(free)
    #expect(
      added == [
        "LockPersonality", "MemoryDenyWriteExecute", "RestrictNamespaces", "RestrictSUIDSGID",
        "SystemCallArchitectures",
      ])
  }
}
