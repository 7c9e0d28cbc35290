internal import Bytes
import CSystemd
import Glibc
internal import Port

/// What D-Bus answered instead of a reply.
struct BusError: Error {
  /// The positive error number of errno(3).
  var number: Int32
  /// The error's name and text as the other side sent them; nil where it said nothing.
  var text: String?

  init(number: Int32, text: String? = nil) {
    self.number = number
    self.text = text
  }

  /// The error that a call returned.
  ///
  /// libsystemd does not know the names of the manager's own errors and calls all of them `EIO`.
  init(result: Int32, _ error: sd_bus_error) {
    number = -result
    guard let cName = error.name else { return }
    let name = String(cString: cName)
    number = Self.numbers.first { name == $0.name }?.number ?? number
    text = name + (error.message.map { ": " + String(cString: $0) } ?? "")
  }

  private static let numbers: [(name: String, number: Int32)] = [
    ("org.freedesktop.systemd1.NoSuchUnit", ENOENT),
    ("org.freedesktop.systemd1.UnitExists", EEXIST),
    ("org.freedesktop.systemd1.BadUnitSetting", EINVAL),
    ("org.freedesktop.DBus.Error.UnknownProperty", EOPNOTSUPP),
    ("org.freedesktop.DBus.Error.PropertyReadOnly", EOPNOTSUPP),
    ("org.freedesktop.DBus.Error.NoReply", ETIMEDOUT),
    ("org.freedesktop.DBus.Error.Timeout", ETIMEDOUT),
  ]

  /// The result of a function of sd-bus.
  @discardableResult
  static func check(_ result: Int32) throws(BusError) -> Int32 {
    if result < 0 { throw BusError(number: -result) }
    return result
  }
}

/// A value as D-Bus carries it in a property.
enum BusValue: Hashable {
  case string(String)
  case strings([String])
  case boolean(Bool)
  /// A number of 64 bits without sign, as all of systemd's times are.
  case number(UInt64)
  case bytes([UInt8])
  /// Of the type of `ExecStart=`: the program, its arguments from `argv[0]` on, and whether its
  /// failure is ignored.
  case commands([UnitCommand])
  /// Of the type of a timer's `TimersMonotonic`.
  case timers([BusTimer])
  /// Of the type of a path unit's `Paths`, each to be watched for writes.
  case paths([String])

  /// The type in the letters of D-Bus.
  var signature: String {
    switch self {
    case .string: "s"
    case .strings: "as"
    case .boolean: "b"
    case .number: "t"
    case .bytes: "ay"
    case .commands: "a(sasb)"
    case .timers: "a(st)"
    case .paths: "a(ss)"
    }
  }
}

/// When a timer elapses: so long after the moment that `base` names, such as `OnActiveSec`.
struct BusTimer: Hashable {
  var base: String
  var microseconds: UInt64
}

/// A property of a unit with its value.
typealias BusProperty = (name: String, value: BusValue)

/// One message of D-Bus, written or read from its front to its back.
struct BusMessage: ~Copyable {
  let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  deinit { sd_bus_message_unref(pointer) }
}

// Writing
extension BusMessage {
  func append(_ text: String) throws(BusError) {
    try append("s", text)
  }

  func append(_ flag: Bool) throws(BusError) {
    // A boolean of D-Bus has four bytes.
    var number: Int32 = flag ? 1 : 0
    try BusError.check(sd_bus_message_append_basic(pointer, Self.letter("b"), &number))
  }

  func append(_ number: UInt64) throws(BusError) {
    var number = number
    try BusError.check(sd_bus_message_append_basic(pointer, Self.letter("t"), &number))
  }

  func append(_ bytes: [UInt8]) throws(BusError) {
    try BusError.check(
      sd_bus_message_append_array(pointer, Self.letter("y"), bytes, bytes.count))
  }

  func append(_ texts: [String]) throws(BusError) {
    try container("a", "s") { () throws(BusError) in
      for text in texts { try append(text) }
    }
  }

  /// Appends a list of properties, of type `a(sv)`.
  func append(_ properties: [BusProperty]) throws(BusError) {
    try container("a", "(sv)") { () throws(BusError) in
      for property in properties {
        try container("r", "sv") { () throws(BusError) in
          try append(property.name)
          try container("v", property.value.signature) { () throws(BusError) in
            try append(property.value)
          }
        }
      }
    }
  }

  func append(_ value: BusValue) throws(BusError) {
    switch value {
    case .string(let text): try append(text)
    case .strings(let texts): try append(texts)
    case .boolean(let flag): try append(flag)
    case .number(let number): try append(number)
    case .bytes(let bytes): try append(bytes)
    case .commands(let commands):
      try container("a", "(sasb)") { () throws(BusError) in
        for command in commands { try append(command) }
      }
    case .paths(let paths):
      try container("a", "(ss)") { () throws(BusError) in
        for path in paths {
          try container("r", "ss") { () throws(BusError) in
            try append("PathChanged")
            try append(path)
          }
        }
      }
    case .timers(let timers):
      try container("a", "(st)") { () throws(BusError) in
        for timer in timers {
          try container("r", "st") { () throws(BusError) in
            try append(timer.base)
            try append(timer.microseconds)
          }
        }
      }
    }
  }

  private func append(_ command: UnitCommand) throws(BusError) {
    try container("r", "sasb") { () throws(BusError) in
      try append(command.program)
      // systemd puts variables of its environment in the place of every $NAME.
      try append(
        ([command.program] + command.arguments).map { argument in
          argument.fields(at: "$", keepingEmpty: true).joined(separator: "$$")
        })
      try append(command.ignoresFailure)
    }
  }

  /// Appends what `body` appends as the contents of an array, a structure or a variant.
  func container(
    _ kind: Unicode.Scalar, _ contents: String, _ body: () throws(BusError) -> Void
  ) throws(BusError) {
    try BusError.check(sd_bus_message_open_container(pointer, Self.letter(kind), contents))
    try body()
    try BusError.check(sd_bus_message_close_container(pointer))
  }

  private func append(_ type: Unicode.Scalar, _ text: String) throws(BusError) {
    // The C library would take the text for a shorter one.
    if text.utf8.contains(0) { throw BusError(number: EINVAL) }
    try BusError.check(
      text.withCString { sd_bus_message_append_basic(pointer, Self.letter(type), $0) })
  }

  private static func letter(_ letter: Unicode.Scalar) -> CChar {
    CChar(truncatingIfNeeded: letter.value)
  }
}

// Reading
extension BusMessage {
  func readString() throws(BusError) -> String { try read("s") }

  func readPath() throws(BusError) -> String { try read("o") }

  func readNumber() throws(BusError) -> UInt32 {
    var number: UInt32 = 0
    try BusError.check(sd_bus_message_read_basic(pointer, Self.letter("u"), &number))
    return number
  }

  func readLongNumber() throws(BusError) -> UInt64 {
    var number: UInt64 = 0
    try BusError.check(sd_bus_message_read_basic(pointer, Self.letter("t"), &number))
    return number
  }

  func readFlag() throws(BusError) -> Bool {
    // A boolean of D-Bus has four bytes.
    var number: Int32 = 0
    try BusError.check(sd_bus_message_read_basic(pointer, Self.letter("b"), &number))
    return number != 0
  }

  func readStrings() throws(BusError) -> [String] {
    try BusError.check(sd_bus_message_enter_container(pointer, Self.letter("a"), "s"))
    var strings: [String] = []
    var start: UnsafePointer<CChar>?
    while try BusError.check(sd_bus_message_read_basic(pointer, Self.letter("s"), &start)) > 0 {
      if let start { strings.append(String(cString: start)) }
    }
    return strings
  }

  /// Has `body` read each structure of an array of them.
  func readStructures(
    _ contents: String, _ body: () throws(BusError) -> Void
  ) throws(BusError) {
    try BusError.check(
      sd_bus_message_enter_container(pointer, Self.letter("a"), "(\(contents))"))
    while try BusError.check(
      sd_bus_message_enter_container(pointer, Self.letter("r"), contents)) > 0
    {
      try body()
      try BusError.check(sd_bus_message_exit_container(pointer))
    }
    try BusError.check(sd_bus_message_exit_container(pointer))
  }

  func readBytes() throws(BusError) -> [UInt8] {
    var start: UnsafeRawPointer?
    var count = 0
    try BusError.check(sd_bus_message_read_array(pointer, Self.letter("y"), &start, &count))
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// Steps into the variant in which `Get` returns a property of this type.
  func enterVariant(_ signature: String) throws(BusError) {
    try BusError.check(sd_bus_message_enter_container(pointer, Self.letter("v"), signature))
  }

  private func read(_ type: Unicode.Scalar) throws(BusError) -> String {
    var start: UnsafePointer<CChar>?
    try BusError.check(sd_bus_message_read_basic(pointer, Self.letter(type), &start))
    return start.map { String(cString: $0) } ?? ""
  }
}
