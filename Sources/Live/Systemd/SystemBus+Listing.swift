internal import Bytes
package import HostModel
package import Port

extension SystemBus {
  /// So many of the units are asked what they wait for; a host has one or two for each domain.
  private static let askedUnits = 256

  package func units(
    like pattern: String, until deadline: Deadline
  ) throws(HostError) -> [ListedUnit] {
    try onUnit(pattern, "ListUnitsByPatterns", until: deadline) {
      connection, deadline throws(BusError) in
      try Self.list(pattern, connection, deadline).map(\.unit).sorted { $0.name < $1.name }
    }
  }

  package func waitingUnits(
    like pattern: String, until deadline: Deadline
  ) throws(HostError) -> [ListedUnit] {
    try onUnit(pattern, "ListUnitsByPatterns", until: deadline) {
      connection, deadline throws(BusError) in
      var listed = try Self.list(pattern, connection, deadline)
      for index in listed.indices.prefix(Self.askedUnits) {
        try Self.complete(&listed[index].unit, at: listed[index].path, connection, deadline)
      }
      return listed.map(\.unit).sorted { $0.name < $1.name }
    }
  }

  private static func list(
    _ pattern: String, _ connection: BusConnection, _ deadline: Deadline
  ) throws(BusError) -> [(unit: ListedUnit, path: String)] {
    let reply = try connection.call("ListUnitsByPatterns", until: deadline) {
      call throws(BusError) in
      try call.append([String]())
      try call.append([pattern])
    }
    return try listed(in: reply)
  }

  /// The units of an answer with the paths of their objects.
  ///
  /// Of each: name, description, three states, whom it follows, its object, and a job of it
  /// (org.freedesktop.systemd1(5)).
  private static func listed(
    in reply: borrowing BusMessage
  ) throws(BusError) -> [(unit: ListedUnit, path: String)] {
    var listed: [(unit: ListedUnit, path: String)] = []
    try reply.readStructures("ssssssouso") { () throws(BusError) in
      let name = try reply.readString()
      let description = try reply.readString()
      let load = try reply.readString()
      let state = UnitState(load: load, active: try reply.readString())
      _ = try reply.readString()
      _ = try reply.readString()
      let path = try reply.readPath()
      _ = try reply.readNumber()
      _ = try reply.readString()
      _ = try reply.readPath()
      listed.append((ListedUnit(name: name, description: description, state: state), path))
    }
    return listed
  }

  private static func complete(
    _ unit: inout ListedUnit, at path: String, _ connection: BusConnection, _ deadline: Deadline
  ) throws(BusError) {
    if unit.name.ends(with: ".service") {
      let interface = "\(BusConnection.manager).Unit"
      let reply = try get("BindsTo", of: interface, path, connection, deadline)
      try reply.enterVariant("as")
      unit.bindsTo = try reply.readStrings()
    } else if unit.name.ends(with: ".timer") {
      let interface = "\(BusConnection.manager).Timer"
      let reply = try get("NextElapseUSecMonotonic", of: interface, path, connection, deadline)
      try reply.enterVariant("t")
      unit.elapses = moment(afterBoot: try reply.readLongNumber())
    }
  }

  /// A moment in the microseconds of systemd, which says 0 or the greatest number for never.
  private static func moment(afterBoot microseconds: UInt64) -> Deadline? {
    guard microseconds > 0, microseconds < UInt64.max / 1000 else { return nil }
    return Deadline(nanoseconds: microseconds * 1000)
  }
}
