import Foundation
import Testing

/// Random histories of one host: whatever happens in whatever order, in the end it is as all
/// others left it.
///
/// `BERTH_SOAK_HISTORIES` sets their number and `BERTH_SOAK_SEED` the first seed. What fails
/// prints its seed and the shortest history that fails as well.
struct HistoryTests {
  private static func number(_ name: String, else fallback: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? fallback
  }

  @Test func whateverHappensTheHostIsAsOthersLeftItInTheEnd() {
    let first = Self.number("BERTH_SOAK_SEED", else: 1)
    let count = Self.number("BERTH_SOAK_HISTORIES", else: 2_000)
    var tally = Performance.Tally()
    for seed in first..<first + count {
      let history = History(seed: seed)
      let performance = Performance(of: history)
      tally += performance.tally
      guard !performance.findings.isEmpty else { continue }
      let shortest = history.shrunk { !Performance(of: $0).findings.isEmpty }
      let findings = Performance(of: shortest).findings.joined(separator: "\n")
      Issue.record("seed \(seed): \(findings)\nafter\n\(shortest)")
      if tally.residues == 5 { break }
    }
    print(tally)
    #expect(tally.crashes > 0 && tally.rejections > 0 && tally.foreignChanges > 0)
    #expect(tally.originalsPutBack > 0 && tally.hotplugs > 0)
  }
}
