import FuzzTargets
import Testing

@testable import Formats

/// The reader against the rules of TOML 1.0, and against texts that nobody has written yet.
struct TOMLReaderTests {
  @Test(arguments: ValidTOML.all)
  func readsWhatTheSpecificationAllows(text: String, form: String) throws {
    #expect(try areSame(Form.of(TOMLTable(parsing: Array(text.utf8))), form), "\(text)")
  }

  @Test(arguments: InvalidTOML.all)
  func saysWhatIsNotTOMLAndWhere(text: String, error: String) {
    #expect(complaint(about: Array(text.utf8)).hasPrefix(error), "\(text)")
  }

  @Test(arguments: InvalidTOML.bytes)
  func refusesWhatIsNotUTF8(bytes: [UInt8], error: String) {
    #expect(complaint(about: bytes).hasPrefix(error))
  }

  @Test(
    arguments: [
      ("a = [", "1,"), ("a = [", "[],"), ("a = [", "{},"), ("", "[[a]]\n"),
      ("a = [", "{b.c.d = 1},"),
    ])
  func hasNoMoreKeysAndValuesThanAPolicy(start: String, part: String) {
    let text = start + String(repeating: part, count: 70_000)
    #expect(complaint(about: Array(text.utf8)).hasSuffix("more than 65536 keys and values"))
  }

  @Test func knowsThePlaceOfEachKeyAndValue() throws {
    let text = """
      # é
      a.b = [1,
        2]
      "é" = 'é' # é
      [vm."win 11"]
      cpu = { governor = "x", "ü" = 7 }
      [vm]
      [[list]]
      [[list]]
      x = \"""
      \"""
      """
    let table = try TOMLTable(parsing: Array(text.utf8))
    #expect(
      Form.places(in: table) == [
        "a 2:1 2:1", "b 2:3 2:7", "#0 2:8", "#1 3:3", "é 4:1 4:7", "vm 7:2 7:2",
        "win 11 5:5 5:5", "cpu 6:1 6:7", "governor 6:9 6:20", "ü 6:25 6:31", "list 8:3 8:3",
        "#0 8:3", "#1 8:3", "x 10:1 10:5",
      ])
  }

  /// What a key and its value have around them, so that it stands so deep.
  @Test(
    arguments: [
      { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) },
      { String(repeating: "{a = ", count: $0) + "1" + String(repeating: "}", count: $0) },
    ] as [@Sendable (Int) -> String])
  func boundsTheDepthOfValues(nested: @Sendable (Int) -> String) {
    let fitting = Array("a = \(nested(TOMLReader.depth - 1))".utf8)
    #expect(throws: Never.self) { try TOMLTable(parsing: fitting) }
    let section = Array("[x.y]\na = \(nested(TOMLReader.depth - 2))".utf8)
    #expect(complaint(about: section).hasSuffix("nested more than 64 levels deep"))
    let deep = Array("a = \(nested(TOMLReader.depth))".utf8)
    #expect(complaint(about: deep).hasSuffix("nested more than 64 levels deep"))
  }

  @Test func boundsTheDepthOfKeys() {
    let path = String(repeating: "a.", count: TOMLReader.depth - 1) + "a"
    for text in ["\(path) = 1", "[\(path)]", "[[\(path)]]"] {
      #expect(throws: Never.self) { try TOMLTable(parsing: Array(text.utf8)) }
      let deeper = text.replacing("a.a.a.", with: "a.a.a.a.", maxReplacements: 1)
      #expect(complaint(about: Array(deeper.utf8)).hasSuffix("nested more than 64 levels deep"))
    }
    let below = Array("[\(path)]\na = 1".utf8)
    #expect(complaint(about: below).hasSuffix("nested more than 64 levels deep"))
  }

  /// Texts of some 200 KB: a reader that goes over them again for each of their parts would take
  /// hours.
  @Test(
    .timeLimit(.minutes(5)),
    arguments: [
      ("a = ", "[", ""), ("a = ", "{a = ", ""), ("", "[", ""), ("", "a.", ""),
      ("a = \"", "é", "\""),
      ("a = '", "x", ""), ("a = \"\"\"", "\"\"x", ""), ("a = \"\"\"", "\\\n", "\"\"\""),
      ("a = \"\"\"", "\\ ", ""), ("", " ", "x"), ("#", "#", "\0"), ("", "\n", "="),
      ("a = ", "1_", "1"), ("a = 0.", "1", ""), ("a = [", "1,", "]"), ("a = [", "{},", "]"),
      ("a = [", "1979-05-27 ", ""), ("", "[[a.b]]\n", ""), ("", "[vm.a\n", "x"), ("x\n", "[\"", ""),
    ])
  func readsALongTextOnce(start: String, part: String, end: String) {
    let count = 200_000 / part.utf8.count
    let bytes = Array((start + String(repeating: part, count: count) + end).utf8)
    _ = complaint(about: bytes)
    _ = TOMLReader.headers(in: bytes)
  }

  @Test(.timeLimit(.minutes(5)))
  func readsManyKeysOnce() throws {
    let lines = (0..<15_000).map { "k\($0) = 1\n[a.k\($0)]\n" }.joined()
    #expect(try TOMLTable(parsing: Array("k = 1\n\(lines)".utf8)).members.count == 3)
  }

  /// Valid texts with a few bytes changed, for which the fuzzer's promises are kept.
  @Test(arguments: UInt64(1)...8)
  func keepsItsPromisesForChangedTexts(seed: UInt64) throws {
    let target = try #require(FuzzTarget.named("toml"))
    var random = Numbers(state: seed)
    let parts = [
      "[", "]]", "{", "}", "=", ".", ",", "\"", "'''", "\\", "#", "\n", "\r", "_", "0", "a",
    ]
    for _ in 0..<1_000 {
      var bytes = Array(ValidTOML.all[random.pick(ValidTOML.all.count)].text.utf8)
      for _ in 0...random.pick(3) {
        let place = random.pick(bytes.count + 1)
        let end = min(place + random.pick(3), bytes.count)
        let part =
          random.pick(4) == 0
          ? [UInt8(random.pick(256))] : Array(parts[random.pick(parts.count)].utf8)
        bytes.replaceSubrange(place..<end, with: part)
      }
      #expect(throws: Never.self, "\(bytes)") { try target.check(bytes) }
    }
  }
}

/// The same numbers for the same seed (the generator of Knuth's MMIX).
private struct Numbers {
  var state: UInt64

  /// A number from 0 up to and without `count`.
  mutating func pick(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % count
  }
}

/// A table as the tables of cases have it.
private enum Form {
  static func of(_ table: TOMLTable) -> String {
    "{\(table.members.map { "\($0.name): \(of($0.value))" }.joined(separator: ", "))}"
  }

  private static func of(_ value: TOMLValue) -> String {
    switch value.content {
    case .string(let text): "‹\(text)›"
    case .integer(let integer): "\(integer)"
    case .float(let text): "float \(text)"
    case .boolean(let bool): "\(bool)"
    case .date(let text): "date \(text)"
    case .array(let values): "[\(values.map(of).joined(separator: ", "))]"
    case .table(let table): of(table)
    }
  }

  /// The places of the keys and of their values, and of the elements of arrays.
  static func places(in table: TOMLTable) -> [String] {
    table.members.flatMap { member in
      ["\(member.name) \(words(member.place)) \(words(member.value.place))"]
        + places(in: member.value)
    }
  }

  private static func places(in value: TOMLValue) -> [String] {
    switch value.content {
    case .table(let table): places(in: table)
    case .array(let values):
      values.enumerated().flatMap { ["#\($0) \(words($1.place))"] + places(in: $1) }
    default: []
    }
  }

  private static func words(_ place: TOMLPlace) -> String { "\(place.line):\(place.column)" }
}

/// What is wrong with a text; empty for nothing.
private func complaint(about bytes: [UInt8]) -> String {
  do throws(TOMLError) {
    _ = try TOMLTable(parsing: bytes)
    return ""
  } catch {
    return "\(error.place.line):\(error.place.column): \(error.sentence)"
  }
}

private func areSame(_ left: String, _ right: String) -> Bool {
  left.utf8.elementsEqual(right.utf8)
}
