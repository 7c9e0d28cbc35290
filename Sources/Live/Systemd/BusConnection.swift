internal import Bytes
import CSystemd
import Glibc
import HostModel
internal import SystemCalls

/// A connection to systemd's manager, closed with the value.
final class BusConnection {
  static let manager = "org.freedesktop.systemd1"
  private static let managerPath = "/org/freedesktop/systemd1"
  private static let managerInterface = "org.freedesktop.systemd1.Manager"

  private let bus: OpaquePointer
  private let jobs = JobResults()
  /// Whom signals come from; nil on a socket with nobody else at its other end.
  private let sender: String?
  private var isSubscribed = false

  /// Connects to the manager's own socket, which answers even where no bus runs.
  init(socket: String, until deadline: Deadline) throws(BusError) {
    var created: OpaquePointer?
    try BusError.check(sd_bus_new(&created))
    guard let created else { throw BusError(number: ENOMEM) }
    bus = created
    sender = nil
    try BusError.check(sd_bus_set_address(bus, "unix:path=" + Self.escaped(socket)))
    try BusError.check(sd_bus_start(bus))
    try waitUntilReady(until: deadline)
  }

  /// Connects to the system bus.
  init(systemBusUntil deadline: Deadline) throws(BusError) {
    var opened: OpaquePointer?
    try BusError.check(sd_bus_open_system(&opened))
    guard let opened else { throw BusError(number: ENOMEM) }
    bus = opened
    sender = Self.manager
    try waitUntilReady(until: deadline)
  }

  deinit { sd_bus_close_unref(bus) }

  var isOpen: Bool { sd_bus_is_open(bus) > 0 }

  /// Calls a method of the manager with the arguments that `body` appends.
  func call(
    _ method: String, until deadline: Deadline,
    _ body: (borrowing BusMessage) throws(BusError) -> Void = { _ throws(BusError) in }
  ) throws(BusError) -> BusMessage {
    try call(method, of: Self.managerInterface, at: Self.managerPath, until: deadline, body)
  }

  func call(
    _ method: String, of interface: String, at path: String, until deadline: Deadline,
    _ body: (borrowing BusMessage) throws(BusError) -> Void
  ) throws(BusError) -> BusMessage {
    var created: OpaquePointer?
    try BusError.check(
      sd_bus_message_new_method_call(bus, &created, Self.manager, path, interface, method))
    guard let created else { throw BusError(number: ENOMEM) }
    let message = BusMessage(owning: created)
    try body(message)

    var error = sd_bus_error()
    defer { sd_bus_error_free(&error) }
    var reply: OpaquePointer?
    let result = sd_bus_call(bus, created, try Self.left(until: deadline), &error, &reply)
    if result < 0 { throw BusError(result: result, error) }
    guard let reply else { throw BusError(number: EBADMSG) }
    return BusMessage(owning: reply)
  }

  /// Asks to be told of the end of jobs; before the call that makes the job.
  func subscribe(until deadline: Deadline) throws(BusError) {
    if isSubscribed { return }
    // The bus is told of the match in a call, to which libsystemd gives 25 s by itself
    // (src/libsystemd/sd-bus/sd-bus.c, `sd_bus_get_method_call_timeout()`, systemd 257).
    try BusError.check(sd_bus_set_method_call_timeout(bus, try Self.left(until: deadline)))
    // A match of its own call and answer: the bus then sends no signal before it knows the match.
    try BusError.check(
      sd_bus_match_signal(
        bus, nil, sender, Self.managerPath, Self.managerInterface, "JobRemoved",
        { message, jobs, _ in
          guard let message, let jobs else { return 0 }
          Unmanaged<JobResults>.fromOpaque(jobs).takeUnretainedValue().add(message)
          return 0
        }, Unmanaged.passUnretained(jobs).toOpaque()))
    _ = try call("Subscribe", until: deadline)
    isSubscribed = true
  }

  /// Waits for the end of a job and returns how it ended: `done`, or why not.
  func result(ofJob job: String, until deadline: Deadline) throws(BusError) -> String {
    while true {
      if let result = jobs.results[job] { return result }
      if try BusError.check(sd_bus_process(bus, nil)) > 0 { continue }
      try BusError.check(sd_bus_wait(bus, try Self.left(until: deadline)))
    }
  }

  /// Waits for the other side to let us in.
  ///
  /// A call would do so by itself, but then without the caller's deadline: 90 s for letting in, and
  /// 25 s for the bus's welcome. Nothing waits before that: the socket is connected without blocking
  /// (src/libsystemd/sd-bus/sd-bus.c, `bus_ensure_running()`; bus-socket.c, `bus_socket_connect()`;
  /// systemd 257).
  private func waitUntilReady(until deadline: Deadline) throws(BusError) {
    while try BusError.check(sd_bus_is_ready(bus)) == 0 {
      if try BusError.check(sd_bus_process(bus, nil)) > 0 { continue }
      try BusError.check(sd_bus_wait(bus, try Self.left(until: deadline)))
    }
  }

  /// The microseconds until a deadline; never 0, which sd-bus takes for its own default.
  private static func left(until deadline: Deadline) throws(BusError) -> UInt64 {
    let now = Deadline.now
    guard deadline > now else { throw BusError(number: ETIMEDOUT) }
    return max(1, (deadline.nanoseconds - now.nanoseconds) / 1000)
  }

  /// A path as the addresses of D-Bus hold it.
  private static func escaped(_ path: String) -> String {
    path.utf8.map { byte in
      if byte.isLetter || byte.isDigit || "/-_.".utf8.contains(byte) {
        return String(Unicode.Scalar(byte))
      }
      let digits = String(byte, radix: 16)
      return "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }
}

/// How jobs ended, by their object paths.
private final class JobResults {
  var results: [String: String] = [:]

  func add(_ pointer: OpaquePointer) {
    sd_bus_message_ref(pointer)
    let message = BusMessage(owning: pointer)
    // A signal that cannot be read is not the one that is waited for.
    do throws(BusError) {
      _ = try message.readNumber()
      let job = try message.readPath()
      _ = try message.readString()
      results[job] = try message.readString()
    } catch {}
  }
}
