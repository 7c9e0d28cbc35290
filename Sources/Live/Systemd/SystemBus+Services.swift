package import HostModel
internal import Port

extension SystemBus {
  package func start(_ unit: String, until deadline: Deadline) throws(HostError) {
    try awaitJob("StartUnit", of: unit, until: deadline) { call throws(BusError) in
      try call.append(unit)
      try call.append("replace")
    }
  }

  package func stop(_ unit: String, until deadline: Deadline) throws(HostError) {
    try awaitJob("StopUnit", of: unit, until: deadline) { call throws(BusError) in
      try call.append(unit)
      try call.append("replace")
    }
  }

  /// Makes a call that gives a job, and waits until the job is over.
  ///
  /// The call itself has as long as any other; only the job may take until the deadline.
  func awaitJob(
    _ method: String, of unit: String, until deadline: Deadline,
    _ body: (borrowing BusMessage) throws(BusError) -> Void
  ) throws(HostError) {
    try onUnit(unit, method, until: deadline) { connection, limit throws(BusError) in
      // Before the call: the job may be over before its reply is read.
      try connection.subscribe(until: limit)
      let job = try connection.call(method, until: limit, body).readPath()
      let result: String
      do throws(BusError) {
        result = try connection.result(ofJob: job, until: deadline)
      } catch  where ErrorNumber(error.number) == .timedOut {
        throw BusError(number: error.number, text: "systemd goes on with it")
      }
      guard result != "done" else { return }
      throw BusError(
        number: ErrorNumber.inputOutput.number,
        text: "it ended as “\(result)”; journalctl -u \(unit) tells more")
    }
  }

  package func service(
    named name: String, until deadline: Deadline
  ) throws(HostError) -> ServiceFacts {
    try onUnit(name, "LoadUnit", until: deadline) { connection, limit throws(BusError) in
      var facts = ServiceFacts(asked: name)
      let path = try Self.load(name, connection, limit)
      switch try Self.text("LoadState", path, connection, limit) {
      case "loaded": break
      case "not-found": return facts
      case let state:
        facts.problem = "systemd has it as “\(state)”"
        return facts
      }
      let state = UnitState(
        load: "loaded", active: try Self.text("ActiveState", path, connection, limit))
      facts.isActive = state.activity == .active || state.activity == .starting
      facts.isTransient = try Self.flag("Transient", path, connection, limit)
      facts.canStart = try Self.flag("CanStart", path, connection, limit)
      facts.canStop = try Self.flag("CanStop", path, connection, limit)
      let unit = try Self.text("Id", path, connection, limit)
      facts.dependents = try Self.dependents(of: unit, path, connection, limit)
      facts.unit = unit
      return facts
    }
  }

  /// The properties that name the units that are stopped with one.
  private static let bonds = [
    "RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo",
  ]
  /// More than any unit has that somebody would want to stop.
  private static let dependentsLimit = 100

  /// The active units that are stopped with a unit, and with those.
  private static func dependents(
    of unit: String, _ path: String, _ connection: BusConnection, _ limit: Deadline
  ) throws(BusError) -> [String] {
    var found: [String] = []
    var paths = [path]
    while let path = paths.popLast() {
      for bond in bonds {
        for name in try names(bond, path, connection, limit)
        where name != unit && !found.contains(name) {
          let next = try load(name, connection, limit)
          let state = UnitState(
            load: "", active: try text("ActiveState", next, connection, limit))
          if state.activity == .inactive { continue }
          guard found.count < dependentsLimit else {
            throw BusError(number: ErrorNumber.invalid.number, text: "too many units need it")
          }
          found.append(name)
          paths.append(next)
        }
      }
    }
    return found
  }

  private static func names(
    _ property: String, _ path: String, _ connection: BusConnection, _ limit: Deadline
  ) throws(BusError) -> [String] {
    do throws(BusError) {
      let reply = try get(
        property, of: "\(BusConnection.manager).Unit", path, connection, limit)
      try reply.enterVariant("as")
      return try reply.readStrings()
    } catch  where ErrorNumber(error.number) == .notSupported {
      // An older systemd has not all of these bonds.
      return []
    }
  }

  private static func flag(
    _ property: String, _ path: String, _ connection: BusConnection, _ limit: Deadline
  ) throws(BusError) -> Bool {
    let reply = try get(property, of: "\(BusConnection.manager).Unit", path, connection, limit)
    try reply.enterVariant("b")
    return try reply.readFlag()
  }
}
