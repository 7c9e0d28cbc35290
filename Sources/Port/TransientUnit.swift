internal import Bytes
package import HostModel

/// Units that live in systemd's memory only and vanish when they are over.
package protocol TransientUnits {
  /// Makes a unit and starts it, or its timer.
  ///
  /// Returns when the start is over. A unit whose `bindsTo` is not there is refused.
  ///
  /// - Throws: `EEXIST` if a unit of that name is there; `ETIMEDOUT` when the deadline passed,
  ///   after which the unit may start or not.
  func startTransientUnit(_ unit: TransientUnit, until deadline: Deadline) throws(HostError)

  /// Asks systemd to stop a unit, and does not wait for it: a unit that stops itself would wait
  /// for its own end.
  ///
  /// - Throws: `ENOENT` for a unit that systemd does not know.
  func stopUnit(_ unit: String, until deadline: Deadline) throws(HostError)

  /// What systemd knows of a unit; never fails for one that does not exist.
  func state(of unit: String, until deadline: Deadline) throws(HostError) -> UnitState

  /// The units that systemd has in memory whose names fit a pattern of fnmatch(3), by their names;
  /// what each waits for is not asked.
  func units(like pattern: String, until deadline: Deadline) throws(HostError) -> [ListedUnit]

  /// The same with what each waits for.
  func waitingUnits(
    like pattern: String, until deadline: Deadline
  ) throws(HostError) -> [ListedUnit]
}

extension TransientUnits {
  /// The answer of one that knows what its units wait for without being asked.
  package func units(
    like pattern: String, until deadline: Deadline
  ) throws(HostError) -> [ListedUnit] {
    try waitingUnits(like: pattern, until: deadline)
  }
}

/// A unit that systemd has in memory, with what it waits for.
package struct ListedUnit: Hashable, Sendable {
  package var name: String
  package var description: String
  package var state: UnitState
  /// The units with which a service stops (`BindsTo=`).
  package var bindsTo: [String] = []
  /// When a timer elapses next; nil for one that does not, and for other units.
  package var elapses: Deadline?

  package init(name: String, description: String, state: UnitState) {
    self.name = name
    self.description = description
    self.state = state
  }
}

/// A service that systemd is to have for as long as it is needed, with or without a timer.
package struct TransientUnit: Hashable, Sendable {
  /// The service's name, such as `berth-guard-100.service`.
  package var name: String
  package var description: String
  /// Stops when one of these units stops, and does not start without them (`BindsTo=`).
  package var bindsTo: [String] = []
  /// Starts after these units and stops before them (`After=`).
  package var after: [String] = []
  package var kind = Kind.oneshot
  /// Counts as running when its commands are over (`RemainAfterExit=`).
  package var remainsAfterExit = false
  package var start: [UnitCommand] = []
  package var stop: [UnitCommand] = []
  /// Run when the service is over, however it ended (`ExecStopPost=`).
  package var stopPost: [UnitCommand] = []
  /// Vanishes after a failure, too (`CollectMode=inactive-or-failed`).
  package var vanishesAfterFailure = true
  /// Off, the service has no ties to the boot and the shutdown (`DefaultDependencies=`).
  package var hasDefaultDependencies = true
  package var stopTimeoutSeconds: Int?
  package var startTimeoutSeconds: Int?
  /// Whether the commands can do without what nothing of Berth's needs: programs of another architecture,
  /// namespaces, memory that is written and run, files that lend their owner's rights.
  ///
  /// None of it needs a mount namespace or keeps a program from changing what it is confined by
  /// (`NoNewPrivileges=`): a guard that cannot start gives nothing back.
  package var isConfined = false
  /// What the commands find in their environment, each as `NAME=VALUE`.
  package var environment: [String] = []
  /// The seconds after which a timer starts the service; nil to start the service itself.
  package var startsAfterSeconds: Int?
  /// The seconds after which the timer starts the service once more, again and again; nil for once.
  package var repeatsAfterSeconds: Int?
  /// The files that start the service each time that somebody has written to one of them
  /// (`PathChanged=`); none to start the service itself.
  package var watchedFiles: [String] = []

  package init(name: String, description: String) {
    self.name = name
    self.description = description
  }

  /// `Type=` of a service.
  package enum Kind: String, Sendable {
    case oneshot
    case exec
  }

  /// The timer that starts the service: of the same name.
  package var timerName: String { stem + ".timer" }

  /// The path unit that starts the service: of the same name.
  package var pathName: String { stem + ".path" }

  /// The unit that is started: the service, or what starts that.
  package var startedName: String {
    if startsAfterSeconds != nil { return timerName }
    return watchedFiles.isEmpty ? name : pathName
  }

  private var stem: Substring { name.rest(before: ".service") ?? name[...] }
}

/// A program with its arguments, of which systemd changes nothing.
package struct UnitCommand: Hashable, Sendable {
  package var program: String
  /// Without the program's name.
  package var arguments: [String]
  package var ignoresFailure: Bool

  package init(_ program: String, _ arguments: [String] = [], ignoresFailure: Bool = false) {
    self.program = program
    self.arguments = arguments
    self.ignoresFailure = ignoresFailure
  }
}

/// `LoadState=` and `ActiveState=` of a unit.
package struct UnitState: Hashable, Sendable {
  package var load: String
  package var active: String

  package init(load: String, active: String) {
    self.load = load
    self.active = active
  }

  /// Whether systemd has such a unit.
  package var exists: Bool { load != "not-found" }

  /// What the unit is doing (`ActiveState=` of org.freedesktop.systemd1(5)).
  package var activity: Activity {
    switch active {
    case "activating": .starting
    case "deactivating": .stopping
    case "inactive", "failed": .inactive
    default: .active
    }
  }

  /// Whether the unit runs or is on its way there.
  package var isActive: Bool { ["active", "reloading", "activating"].contains(active) }
}
