import Bytes
import Glibc
import HostModel
import Testing

@testable import Live
@testable import Port

/// What a real systemd makes of our calls.
///
/// Asked for by `BERTH_TEST_SYSTEMD_ROOT`: the root of a machine or container whose manager may be
/// played with, such as `/proc/PID/root` of a systemd in namespaces of its own. Units get names
/// that nobody else uses and are gone afterwards.
@Suite(.serialized, .enabled(if: liveRoot != nil))
struct SystemBusLiveTests {

  let root = liveRoot ?? ""
  let kernel = LiveKernel()
  let systemd: SystemBus
  private var deadline: Deadline { kernel.now.advanced(byMilliseconds: 5_000) }

  init() {
    let root = liveRoot ?? ""
    systemd = SystemBus(
      socket: "\(root)/run/systemd/private", runtime: HostPath(foreign: "\(root)/run/systemd"))
  }

  @Test(arguments: ["system.slice", "init.scope"])
  func setsAndTakesAwayTheCPUsOfAUnit(unit: String) throws {
    #expect(try systemd.allowedCPUs(of: unit, until: deadline) == [])
    #expect(try !systemd.hasRuntimeDropIn(of: unit))
    for cpus in [[0], [0, 1, 9], [64]] as [CPUList] {
      try systemd.setAllowedCPUs(cpus, of: unit, until: deadline)
      #expect(try systemd.allowedCPUs(of: unit, until: deadline) == cpus)
    }
    #expect(try systemd.hasRuntimeDropIn(of: unit))
    try systemd.setAllowedCPUs([], of: unit, until: deadline)
    #expect(try systemd.allowedCPUs(of: unit, until: deadline) == [])
    #expect(try systemd.hasRuntimeDropIn(of: unit))
    try systemd.removeRuntimeDropIn(of: unit)
    #expect(try !systemd.hasRuntimeDropIn(of: unit))
    try systemd.reload(until: deadline)
    #expect(try systemd.allowedCPUs(of: unit, until: deadline) == [])
  }

  @Test func knowsNoUnitThatIsNotThere() throws {
    let error = #expect(throws: HostError.self) {
      try systemd.allowedCPUs(of: "berth-test-missing.scope", until: deadline)
    }
    #expect(error?.errno == ENOENT)
    let setting = #expect(throws: HostError.self) {
      try systemd.setAllowedCPUs([0], of: "berth-test-missing.scope", until: deadline)
    }
    #expect(setting?.errno == ENOENT)
    let stopping = #expect(throws: HostError.self) {
      try systemd.stopUnit("berth-test-missing.service", until: deadline)
    }
    #expect(stopping?.errno == ENOENT)
    let state = try systemd.state(of: "berth-test-missing.service", until: deadline)
    #expect(state == UnitState(load: "not-found", active: "inactive"))
    #expect(!state.exists)
  }

  @Test func aGuardRunsWhenItsUnitEnds() throws {
    let file = "/tmp/berth-test-guard"
    try startVM("berth-test-vm.service")
    let arguments = [
      "-c", "printf '%s|' \"$@\" > \(file)", "sh", "$HOME ${x}", "100%n", "a\nb", "",
    ]
    var unit = TransientUnit(name: "berth-test-guard.service", description: "web\n[Service]")
    unit.bindsTo = ["berth-test-vm.service"]
    unit.after = ["berth-test-vm.service"]
    unit.remainsAfterExit = true
    unit.hasDefaultDependencies = false
    unit.stopTimeoutSeconds = 120
    unit.stop = [UnitCommand("/bin/true", ignoresFailure: true)]
    unit.stopPost = [UnitCommand("/bin/sh", arguments)]
    try systemd.startTransientUnit(unit, until: deadline)
    #expect(try systemd.state(of: unit.name, until: deadline).isActive)

    let twice = #expect(throws: HostError.self) {
      try systemd.startTransientUnit(unit, until: deadline)
    }
    #expect(twice?.errno == EEXIST)

    try systemd.stopUnit("berth-test-vm.service", until: deadline)
    #expect(try appears(file))
    #expect(try kernel.text(of: HostPath(foreign: root + file)) == "$HOME ${x}|100%n|a\nb||")
    #expect(try vanishes(unit.name))
    unlink(root + file)
  }

  @Test func aGuardWithoutItsUnitIsRefused() throws {
    var unit = TransientUnit(name: "berth-test-orphan.service", description: "orphan")
    unit.bindsTo = ["berth-test-missing.service"]
    unit.after = ["berth-test-missing.service"]
    unit.stop = [UnitCommand("/bin/true")]
    unit.remainsAfterExit = true
    let error = #expect(throws: HostError.self) {
      try systemd.startTransientUnit(unit, until: deadline)
    }
    #expect(error?.operation == .call)
    #expect(error?.place == unit.name)
    #expect(try vanishes(unit.name))
  }

  @Test func aTimerStartsItsServiceOnce() throws {
    let file = "/tmp/berth-test-timer"
    var unit = TransientUnit(name: "berth-test-timer.service", description: "timer")
    unit.start = [UnitCommand("/bin/sh", ["-c", "echo x >> \(file)"])]
    unit.startsAfterSeconds = 1
    try systemd.startTransientUnit(unit, until: deadline)
    #expect(try systemd.state(of: unit.timerName, until: deadline).isActive)
    #expect(try !systemd.state(of: unit.name, until: deadline).isActive)
    #expect(try appears(file))
    #expect(try vanishes(unit.timerName))
    #expect(try vanishes(unit.name))
    #expect(try kernel.text(of: HostPath(foreign: root + file)) == "x\n")
    unlink(root + file)
  }

  @Test func aTimerCanBeSeenAndStopped() throws {
    var unit = TransientUnit(name: "berth-test-stopped.service", description: "timer")
    unit.start = [UnitCommand("/bin/true")]
    unit.startsAfterSeconds = 600
    try systemd.startTransientUnit(unit, until: deadline)
    let listed = try systemd.waitingUnits(like: "berth-test-stopped.*", until: deadline)
    #expect(listed.map(\.name) == [unit.name, unit.timerName])
    #expect(listed.map(\.description) == ["timer", "timer"])
    let elapses = try #require(listed.last?.elapses)
    let left = Double(elapses.nanoseconds) / 1e9 - Double(kernel.now.nanoseconds) / 1e9
    #expect((500...600).contains(left))
    try systemd.stopUnit(unit.timerName, until: deadline)
    #expect(try vanishes(unit.timerName))
    #expect(try vanishes(unit.name))
  }

  /// A unit that stands for a domain's scope.
  private func startVM(_ name: String) throws {
    var unit = TransientUnit(name: name, description: "a domain")
    unit.kind = .exec
    unit.start = [UnitCommand("/bin/sleep", ["infinity"])]
    try systemd.startTransientUnit(unit, until: deadline)
  }

  private func appears(_ path: String) throws -> Bool {
    try waits { kernel.exists(HostPath(foreign: root + path)) }
  }

  private func vanishes(_ unit: String) throws -> Bool {
    try waits {
      try systemd.state(of: unit, until: deadline)
        == UnitState(load: "not-found", active: "inactive")
    }
  }

  private func waits(for condition: () throws -> Bool) throws -> Bool {
    for _ in 0..<100 {
      if try condition() { return true }
      kernel.pause(milliseconds: 50)
    }
    return false
  }
}

private let liveRoot = getenv("BERTH_TEST_SYSTEMD_ROOT").map { String(cString: $0) }
