internal import Bytes
internal import HostModel

/// One value of the policy file, or of a domain's metadata.
package enum PolicyValue: Hashable, Sendable {
  case bool(Bool)
  case integer(Int)
  case string(String)
  case array([PolicyValue])
  case table([String: PolicyValue])
  /// A number with a fraction, a date or a time: nothing that a key takes.
  case other(String)
}

/// What a key takes instead of the value that it was given.
struct PolicyValueError: Error {
  var expected: String

  init(_ expected: String) { self.expected = expected }
}

extension PolicyValue {
  init(_ value: TOMLValue) {
    switch value.content {
    case .boolean(let bool): self = .bool(bool)
    case .integer(let integer): self = .integer(integer)
    case .string(let string): self = .string(string)
    case .float(let text), .date(let text): self = .other(text)
    case .array(let values): self = .array(values.map(PolicyValue.init))
    case .table(let table):
      var members: [String: PolicyValue] = [:]
      for member in table.members { members[member.name] = PolicyValue(member.value) }
      self = .table(members)
    }
  }

  /// The value that the text of a metadata element stands for.
  init(metadata text: String) {
    switch text {
    case "true", "yes": self = .bool(true)
    case "false", "no": self = .bool(false)
    default: self = .string(text)
    }
  }
}

extension PolicyValue: CustomStringConvertible {
  package var description: String {
    switch self {
    case .bool(let bool): "\(bool)"
    case .integer(let integer): "\(integer)"
    case .string(let string): quoted(string)
    case .array(let values): "[\(values.map(\.description).joined(separator: ", "))]"
    case .table: "a table"
    case .other(let text): text
    }
  }
}

/// What the values mean to the keys.
extension PolicyValue {
  func bool() throws(PolicyValueError) -> Bool {
    guard case .bool(let bool) = self else { throw PolicyValueError("true or false") }
    return bool
  }

  /// One of the words that name the cases of a type.
  func word<Word: RawRepresentable<String> & CaseIterable>(
    of type: Word.Type
  ) throws(PolicyValueError) -> Word {
    let words = type.allCases.map(\.rawValue)
    guard case .string(let string) = self, let word = Word(rawValue: string) else {
      throw PolicyValueError(
        words.dropLast().joined(separator: ", ") + " or " + (words.last ?? ""))
    }
    return word
  }

  func integer(in range: ClosedRange<Int>) throws(PolicyValueError) -> Int {
    guard case .integer(let integer) = self, range.contains(integer) else {
      throw PolicyValueError("a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  /// The name of a driver, as it stands in sysfs.
  func driver() throws(PolicyValueError) -> String {
    guard let name = name else { throw PolicyValueError("the name of a driver such as vfio-pci") }
    return name
  }

  /// A word that can be the name of something in sysfs.
  var name: String? {
    guard case .string(let name) = self, (1...60).contains(name.utf8.count),
      name.utf8.allSatisfy(Self.isOfNames)
    else { return nil }
    return name
  }

  private static func isOfNames(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Seconds as a number, or text with its unit; in milliseconds.
  func milliseconds() throws(PolicyValueError) -> Int {
    let expected = PolicyValueError("a time from 100ms to 1h, such as 120, “120s” or “2m”")
    var milliseconds: Int?
    switch self {
    case .integer(let seconds) where (0...3600).contains(seconds): milliseconds = seconds * 1000
    case .string(let text):
      let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
      guard let (unit, scale) = units.first(where: { text.ends(with: $0.0) }),
        let number = Int(text.droppingLast(unit.utf8.count).trimmed),
        (0...3_600_000).contains(number)
      else { throw expected }
      milliseconds = number * scale
    default: break
    }
    guard let milliseconds, (100...3_600_000).contains(milliseconds) else { throw expected }
    return milliseconds
  }

  /// The CPUs that a list names; none for an empty text.
  func cpus(
    orElse words: String = "a list of CPUs such as “4-7,12”"
  ) throws(PolicyValueError) -> CPUList {
    let expected = PolicyValueError(words)
    switch self {
    case .integer(let cpu) where (0..<CPUList.capacity).contains(cpu): return [cpu]
    case .string(let text):
      do throws(CPUListError) { return try CPUList(parsing: text) } catch { throw expected }
    default: throw expected
    }
  }

  /// The CPUs of each thread, the first one having the given number.
  ///
  /// An array has a list for each thread, an empty one for a thread that is left alone; a single
  /// list gives each thread one CPU, ascending.
  func pins(from first: Int) throws(PolicyValueError) -> [Int: CPUList] {
    let expected = "a list of CPUs such as “4-7,12”, or an array with such a list for each thread"
    var lists: [CPUList] = []
    if case .array(let values) = self {
      for value in values { lists.append(try value.cpus(orElse: expected)) }
    } else {
      lists = try cpus(orElse: expected).map { [$0] }
    }
    var pins: [Int: CPUList] = [:]
    for (index, list) in lists.enumerated() where !list.isEmpty { pins[first + index] = list }
    return pins
  }
}
