package import Bytes
import Glibc
package import HostModel
package import Port
internal import SystemCalls

/// The running systemd, over D-Bus.
///
/// The connection is made at the first call, and again at the next call after it broke, as it does
/// when systemd executes itself anew. PID 1 works on one thing at a time: an answer may be late
/// because of somebody else's reload, and what was asked for may still happen after the deadline.
///
/// No call takes longer than 5 s, and once one was not answered in time none waits longer than half a
/// second: services are asked for one after the other, under the ledger's lock.
package final class SystemBus: Systemd, TransientUnits {
  /// How long a call may take, in milliseconds.
  private static let patience = 5_000
  /// How long one may take after another one was not answered.
  private static let patienceWithTheMute = 500
  /// How long one may take after its deadline: a manager that answers is still told what has to be
  /// undone, which costs it a few milliseconds.
  private static let grace = 100

  private let socket: String?
  private let runtime: HostPath
  private var connection: BusConnection?
  private var isMute = false

  /// - Parameters:
  ///   - socket: The manager's own socket, which only root may use; nil for the system bus.
  ///   - runtime: Where the manager keeps its runtime files.
  package init(
    socket: String? = geteuid() == 0 ? "/run/systemd/private" : nil,
    runtime: HostPath = "/run/systemd"
  ) {
    self.socket = socket
    self.runtime = runtime
  }

  package func allowedCPUs(of unit: String, until deadline: Deadline) throws(HostError) -> CPUList {
    try onUnit(unit, "AllowedCPUs=", until: deadline) { connection, deadline throws(BusError) in
      guard let interface = Self.interface(of: unit) else { throw BusError(number: EINVAL) }
      let path = try Self.load(unit, connection, deadline)
      // systemd makes an empty object for whatever name it is asked for.
      if try Self.text("LoadState", path, connection, deadline) == "not-found" {
        throw BusError(number: ENOENT)
      }
      let reply = try Self.get("AllowedCPUs", of: interface, path, connection, deadline)
      try reply.enterVariant("ay")
      return CPUList(busMask: try reply.readBytes())
    }
  }

  package func setAllowedCPUs(
    _ cpus: CPUList, of unit: String, until deadline: Deadline
  ) throws(HostError) {
    try onUnit(unit, "AllowedCPUs=\(cpus)", until: deadline) {
      connection, deadline throws(BusError) in
      _ = try connection.call("SetUnitProperties", until: deadline) { call throws(BusError) in
        try call.append(unit)
        // Until the next boot only.
        try call.append(true)
        try call.append([("AllowedCPUs", BusValue.bytes(cpus.busMask))])
      }
    }
  }

  package func hasRuntimeDropIn(of unit: String) throws(HostError) -> Bool {
    try RuntimeDropIn(of: unit, below: runtime).exists
  }

  package func removeRuntimeDropIn(of unit: String) throws(HostError) {
    try RuntimeDropIn(of: unit, below: runtime).remove()
  }

  package func reload(until deadline: Deadline) throws(HostError) {
    try onUnit("systemd", "Reload", until: deadline) { connection, deadline throws(BusError) in
      _ = try connection.call("Reload", until: deadline)
    }
  }
}

extension SystemBus {
  package func startTransientUnit(
    _ unit: TransientUnit, until deadline: Deadline
  ) throws(HostError) {
    try awaitJob("StartTransientUnit", of: unit.name, until: deadline) { call throws(BusError) in
      try Self.append(unit, to: call)
    }
  }

  package func stopUnit(_ unit: String, until deadline: Deadline) throws(HostError) {
    try onUnit(unit, "StopUnit", until: deadline) { connection, deadline throws(BusError) in
      _ = try connection.call("StopUnit", until: deadline) { call throws(BusError) in
        try call.append(unit)
        try call.append("replace")
      }
    }
  }

  package func state(of unit: String, until deadline: Deadline) throws(HostError) -> UnitState {
    try onUnit(unit, "ActiveState=", until: deadline) { connection, deadline throws(BusError) in
      let path = try Self.load(unit, connection, deadline)
      return UnitState(
        load: try Self.text("LoadState", path, connection, deadline),
        active: try Self.text("ActiveState", path, connection, deadline))
    }
  }

  private static func append(
    _ unit: TransientUnit, to call: borrowing BusMessage
  ) throws(BusError) {
    let starter = unit.timerProperties ?? unit.pathProperties
    try call.append(unit.startedName)
    try call.append("fail")
    try call.append(starter ?? unit.properties)
    try call.container("a", "(sa(sv))") { () throws(BusError) in
      if starter == nil { return }
      // The service comes with its timer or path unit, and is started by it.
      try call.container("r", "sa(sv)") { () throws(BusError) in
        try call.append(unit.name)
        try call.append(unit.properties)
      }
    }
  }
}

extension SystemBus {
  /// Runs calls about a unit within the deadline, with an error that says what was asked of it.
  func onUnit<Result>(
    _ unit: String, _ what: String, until deadline: Deadline,
    _ body: (BusConnection, Deadline) throws(BusError) -> Result
  ) throws(HostError) -> Result {
    let limit = limit(within: deadline)
    let connection = try connected(until: limit)
    do throws(BusError) {
      return try body(connection, limit)
    } catch {
      if error.number == ETIMEDOUT, Deadline.now >= limit { isMute = true }
      throw HostError(.call, unit, value: what, errno: error.number, diagnosis: error.text)
    }
  }

  /// The moment by which a call that begins now is over.
  private func limit(within deadline: Deadline) -> Deadline {
    let now = Deadline.now
    if isMute { return min(deadline, now.advanced(byMilliseconds: Self.patienceWithTheMute)) }
    return max(
      min(deadline, now.advanced(byMilliseconds: Self.patience)),
      now.advanced(byMilliseconds: Self.grace))
  }

  private func connected(until deadline: Deadline) throws(HostError) -> BusConnection {
    if let connection, connection.isOpen { return connection }
    connection = nil
    let opened = try connect(until: deadline)
    connection = opened
    return opened
  }

  private func connect(until deadline: Deadline) throws(HostError) -> BusConnection {
    var tried = ""
    if let socket {
      do throws(BusError) {
        return try BusConnection(socket: socket, until: deadline)
      } catch  where error.number == ETIMEDOUT {
        isMute = true
        throw HostError(.connect, socket, errno: ETIMEDOUT, diagnosis: "systemd does not answer")
      } catch {
        // The system bus leads to the same manager.
        tried = "nor by \(socket): \(ErrorNumber(error.number))"
      }
    }
    do throws(BusError) {
      return try BusConnection(systemBusUntil: deadline)
    } catch {
      if error.number == ETIMEDOUT { isMute = true }
      throw HostError(
        .connect, "systemd by the system bus", errno: error.number,
        diagnosis: tried.isEmpty ? nil : tried)
    }
  }

  /// The object of a unit, which systemd reads from its files if it has not done so.
  static func load(
    _ unit: String, _ connection: BusConnection, _ deadline: Deadline
  ) throws(BusError) -> String {
    let reply = try connection.call("LoadUnit", until: deadline) { call throws(BusError) in
      try call.append(unit)
    }
    return try reply.readPath()
  }

  static func get(
    _ property: String, of interface: String, _ path: String, _ connection: BusConnection,
    _ deadline: Deadline
  ) throws(BusError) -> BusMessage {
    try connection.call(
      "Get", of: "org.freedesktop.DBus.Properties", at: path, until: deadline
    ) { call throws(BusError) in
      try call.append(interface)
      try call.append(property)
    }
  }

  /// A property that every unit has, of type string.
  static func text(
    _ property: String, _ path: String, _ connection: BusConnection, _ deadline: Deadline
  ) throws(BusError) -> String {
    let reply = try get(
      property, of: "\(BusConnection.manager).Unit", path, connection, deadline)
    try reply.enterVariant("s")
    return try reply.readString()
  }

  /// The interface that has the resource properties of a unit; nil for a type that has none.
  private static func interface(of unit: String) -> String? {
    let types = ["slice", "scope", "service", "socket", "mount", "swap"]
    guard let ending = unit.cutLast(at: ".")?.tail, let type = types.first(where: { $0 == ending })
    else { return nil }
    return "\(BusConnection.manager).\(type.capitalizedASCII)"
  }
}

extension CPUList {
  /// The set that a mask of systemd names: bit n of byte n/8 is CPU n.
  ///
  /// systemd pads it with zeroes to whole words; bits beyond what a list can hold are no CPUs.
  init(busMask bytes: [UInt8]) {
    let numbers = 0..<Swift.min(bytes.count * 8, CPUList.capacity)
    self.init(numbers.lazy.filter { bytes[$0 / 8] & (1 << UInt8($0 % 8)) != 0 })
  }

  /// The mask that systemd takes, no longer than the greatest CPU needs.
  var busMask: [UInt8] {
    let length = reduce(0) { Swift.max($0, $1 / 8 + 1) }
    var bytes = [UInt8](repeating: 0, count: length)
    for cpu in self { bytes[cpu / 8] |= 1 << UInt8(cpu % 8) }
    return bytes
  }
}
