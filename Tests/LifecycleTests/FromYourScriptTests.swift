import Bytes
import HostModel
import Ledger
import Support
import Testing

@testable import Formats
@testable import Lifecycle

/// Each line of a published script that `docs/FROM-YOUR-SCRIPT.md` replaces, as it is written there.
struct FromYourScriptTests {
  /// The code in the right column of each row that has some.
  private static let rows: [[String]] = {
    let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let text = (try? FileText.read("/\(repository)/docs/FROM-YOUR-SCRIPT.md")) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let columns = line.split(separator: " | ", maxSplits: 1)
      guard line.hasPrefix("| "), columns.count == 2 else { return nil }
      let parts = columns[1].split(separator: "`", omittingEmptySubsequences: false)
      return parts.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
  }()

  /// The policy of each row that is replaced by one.
  private static let policies: [String] = rows.compactMap { codes in
    let lines = codes.filter { code in
      PolicyKey.all.contains { code.hasPrefix($0.path + " = ") }
    }
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }

  @Test func hasARowForMostOfWhatScriptsDo() {
    #expect(Self.rows.count > 30)
    #expect(Self.policies.count > 15)
  }

  @Test func namesOnlyKeysThatThereAre() {
    let groups = Set(PolicyKey.all.compactMap { $0.path.split(separator: ".").first })
    for code in Self.rows.joined() {
      let word = code.prefix { $0 != " " }
      guard let group = word.split(separator: ".").first, word.contains("."),
        groups.contains(group), !word.hasSuffix(".*")
      else { continue }
      #expect(PolicyKey.named(String(word)) != nil, "\(code)")
    }
  }

  @Test(arguments: policies)
  func isReadAndGivesBackAllThatItTook(policy text: String) throws {
    let file = PolicyFile("[defaults]\n\(text)", named: "f")
    #expect(file.problems.map(\.description) == [])
    let policy = try file.policy(for: RecordedLife.domain()).value
    #expect(policy != Policy())
    let life = try RecordedLife()
    do {
      for phase in [Phase.prepare, .start, .started, .reconnect, .stopped] {
        try life.play(phase) { $0 = policy }
      }
    } catch is PhaseRefusal {
      // The recorded workstation lacks some of the hardware that scripts are written for.
    }
    try life.play(.release) { $0 = policy }
    #expect(try life.difference(below: "/sys", "/proc", "/run", "/etc") == [])
    #expect(try life.ledger() == Ledger())
  }
}
