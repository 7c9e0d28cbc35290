import Bytes
import Foundation
import HostModel
import Testing

@testable import Formats
@testable import berth

/// Texts that somebody chose to leave the place where they are written, each read back by a reader of the
/// format.
struct EscapeTests {
  private static let names = [
    "plain", "", "a \"b\"\n\\", "\"\u{301}", "\\\u{301}", "<\u{338}b>", "&\u{fe0f}amp;",
    "\u{600}\"",
    "x\u{202e}y", "\u{2028}\u{2029}", "\u{2066}\u{2069}\u{200b}\u{feff}\u{ad}",
    "\u{1b}[2J\u{9b}1m\u{7f}",
    "\r\n", "\u{0}\t", "]]>", "'\u{20d2}", "\u{fffe}\u{ffff}\u{10ffff}", "\u{e0001}\u{e000}",
    "é e\u{301}",
    "{domain=\"x\"} 1\nberth_domains 9",
  ]

  /// Names of scalars that mean something to some format, or are odd.
  private static let made: [String] = {
    var random = Seeded(state: 14)
    let scalars = Array(
      "\"'\\<>&\n\r\t{}=, a\u{301}\u{338}\u{600}\u{200d}\u{202e}\u{2066}\u{0}\u{9b}\u{fffe}\u{10ffff}ü"
        .unicodeScalars)
    return (0..<2000).map { _ in
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        text.append(scalars.randomElement(using: &random) ?? "a")
      }
      return String(text)
    }
  }()

  private static var all: [String] { names + made }

  @Test func nothingThatMisleadsReachesATerminal() {
    for name in Self.all {
      let shown = Escape.visible(name)
      #expect(shown.unicodeScalars.allSatisfy { !$0.misleads }, "\(name.debugDescription)")
    }
    #expect(Escape.visible("x\u{202e}y\u{2066}\u{200b}") == "x\\u{202E}y\\u{2066}\\u{200B}")
    #expect(Escape.visible("grün 日本 é") == "grün 日本 é")
  }

  @Test func expatReadsMarkupAsTheVisibleText() throws {
    for name in Self.all {
      let text = Escape.markup(name)
      let document = "<a b=\"\(text)\" c='\(text)'>\(text)</a>"
      let root = try XMLReader.root(of: Array(document.utf8)) { _, _ in true }
      let shown = Array(Escape.visible(name).utf8)
      #expect(Array(root.text.utf8) == shown)
      #expect(root.attributes.map { Array($0.value.utf8) } == [shown, shown])
    }
  }

  private struct Named: Decodable {
    var name: String
    var schema: Int
  }

  @Test func foundationReadsJSONAsTheTextItself() throws {
    for name in Self.all {
      let text = try JSON.text(of: ["name": name])
      #expect(text.unicodeScalars.allSatisfy { !$0.misleads || $0 == "\n" })
      let read = try JSONDecoder().decode(Named.self, from: Data(text.utf8))
      #expect(Array(read.name.utf8) == Array(name.utf8))
      #expect(read.schema == JSON.schema)
    }
  }

  @Test func prometheusReadsALabelAsTheTextItself() throws {
    for name in Self.all {
      let line = "m{a=\"\(Escape.metricLabel(name))\",b=\"\"} 1\n"
      let samples = try #require(
        MetricsReader.samples(in: Array(line.utf8)), "\(line.debugDescription)")
      #expect(
        samples == [MetricsReader.Sample(name: "m", labels: ["a": Array(name.utf8), "b": []])])
    }
  }

  @Test func noNameOfAVMSpoilsTheFileOfMetrics() throws {
    let holders = Self.all.map { name in
      StatusReport.HolderStatus(hypervisor: "libvirt", id: name, name: name, pid: 1, vcpuCPUs: "4")
    }
    // A series that is named twice would be refused, as are two VMs of one name.
    let status = StatusReport(holders: holders + holders, settings: [], damaged: [])
    let text = Metrics(status, []).text
    let samples = try #require(MetricsReader.samples(in: Array(text.utf8)))
    #expect(Set(samples).count == samples.count)
    let told = Set(samples.filter { $0.name == "berth_domain_info" }.map { $0.labels["domain"] })
    #expect(told == Set(Self.all.map { Array($0.utf8) }))
  }
}

/// The text format of Prometheus, read as `promtool check metrics` does (prometheus/common,
/// expfmt/text_parse.go).
enum MetricsReader {
  struct Sample: Hashable {
    var name: String
    var labels: [String: [UInt8]]
  }

  /// Nil for a text that is refused as a whole.
  static func samples(in text: [UInt8]) -> [Sample]? {
    guard String(validating: text, as: UTF8.self) != nil, text.isEmpty || text.last == 0x0a else {
      return nil
    }
    var samples: [Sample] = []
    for line in text.split(separator: 0x0a) where line.first != UInt8(ascii: "#") {
      var rest = line
      guard let name = word(&rest) else { return nil }
      var labels: [String: [UInt8]] = [:]
      if rest.first == UInt8(ascii: "{") {
        repeat {
          rest.removeFirst()
          guard let label = word(&rest), take("=\"", &rest), let value = value(&rest) else {
            return nil
          }
          labels[label] = value
        } while rest.first == UInt8(ascii: ",")
        guard take("}", &rest) else { return nil }
      }
      guard take(" ", &rest), Double(String(decoding: rest, as: UTF8.self)) != nil else {
        return nil
      }
      samples.append(Sample(name: name, labels: labels))
    }
    return samples
  }

  private static func word(_ rest: inout ArraySlice<UInt8>) -> String? {
    let word = rest.prefix { $0 == 0x5f || $0.isLetter || $0.isDigit }
    rest = rest.dropFirst(word.count)
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }

  private static func take(_ text: String, _ rest: inout ArraySlice<UInt8>) -> Bool {
    guard rest.starts(with: text.utf8) else { return false }
    rest = rest.dropFirst(text.utf8.count)
    return true
  }

  /// Up to the quotation mark that ends it, which is taken, too.
  private static func value(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    var value: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return value
      case UInt8(ascii: "\\"):
        switch rest.popFirst() {
        case UInt8(ascii: "\\"): value.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "\""): value.append(UInt8(ascii: "\""))
        case UInt8(ascii: "n"): value.append(0x0a)
        default: return nil
        }
      default: value.append(byte)
      }
    }
    return nil
  }
}

/// The same numbers each time (splitmix64).
private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
