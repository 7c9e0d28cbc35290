import Bytes
import HostModel
import Live
import Support
import Testing

/// What the ledger, the engine and people know of each kind of setting.
///
/// The table has a row at least for each file of a kind, and docs/LEDGER.md, which specifies the
/// ledger, a line.
struct SettingTests {
  @Test(arguments: SettingRow.all)
  func isWhatItsKindSays(row: SettingRow) {
    let setting = row.setting
    #expect(words(of: setting) == row.words)
    #expect("\(setting)" == row.name)
    #expect(setting.title == row.title ?? row.name)
    #expect(setting.lockName == row.lock)
    #expect(traits(of: setting) == row.traits)
  }

  @Test(arguments: SettingRow.all)
  func comesBackFromItsWords(row: SettingRow) throws {
    var reader = WordReader(Array(row.words.utf8), 0..<row.words.utf8.count)
    #expect(try reader.setting() == row.setting)
    #expect(reader.isAtEnd)
  }

  @Test func everyKindHasARowAndIsSpecified() throws {
    let words = Set(SettingRow.all.compactMap { $0.words.fields(at: " ").first })
    #expect(try Self.implemented() == words)
    #expect(try Self.specified() == words)
  }

  @Test func onlyASlotTakesOtherSettingsAway() {
    for row in SettingRow.all {
      let removed = SettingRow.all.filter { row.setting.removes($0.setting) }.map(\.words)
      guard case .slot = row.setting else {
        #expect(removed.isEmpty)
        continue
      }
      #expect(
        removed == [
          "driver 0000:0b:00.1", "vfs 0000:0b:00.1", "vf 0000:0b:00.1 3 spoof-check",
          "function-attribute 0000:0b:00.1 reset_method",
          "function-attribute 0000:0b:00.1 d3cold_allowed",
          "function-attribute 0000:0b:00.1 power/control", "bar 0000:0b:00.1 1",
        ])
    }
  }

  /// What the files of the kinds have as their words.
  private static func implemented() throws -> Set<Substring> {
    let folder = HostPath(foreign: "/\(repository)/Sources/HostModel/Settings")
    let files = try LiveKernel().entries(of: folder)
    var words: Set<Substring> = []
    for file in files {
      for line in try FileText.read("\(folder)/\(file)").lines {
        if let rest = line.rest(after: "  static var word: String { \"") {
          words.insert(rest.fields(at: "\"")[0])
        }
      }
    }
    return words
  }

  /// What begins the cells of the specification's table of settings.
  private static func specified() throws -> Set<Substring> {
    let lines = try FileText.read("/\(repository)/docs/LEDGER.md")
      .fields(at: "\n", keepingEmpty: true)
    let table = lines.drop { $0 != "| SETTING | |" }.dropFirst(2).prefix { !$0.isEmpty }
    let texts = table.flatMap { line in
      line.fields(at: "|")[0].fields(at: "`").filter { !$0.trimmed.isEmpty && $0 != ", " }
    }
    return Set(texts.compactMap { $0.fields(at: " ").first })
  }

  private static let repository = #filePath.fields(at: "/").dropLast(3).joined(separator: "/")

  private func words(of setting: Setting) -> String {
    var writer = WordWriter()
    writer.setting(setting)
    return String(decoding: writer.bytes.dropFirst(), as: UTF8.self)
  }

  private func traits(of setting: Setting) -> [String] {
    let traits = setting.traits
    var names: [String] = []
    if traits.isSlow { names.append("slow") }
    if traits.isSwitch { names.append("switch") }
    if traits.isShared { names.append("shared") }
    if traits.isFixedWhileHeld { names.append("fixed while held") }
    if traits.hasStaleReads { names.append("stale reads") }
    if traits.movesTasks { names.append("moves tasks") }
    switch setting.kernelChanges {
    case .none: break
    case .original: names.append("original")
    case .brokenMask: names.append("broken mask")
    case .invalidation: names.append("invalidation")
    case .moreCPUs: names.append("more CPUs")
    case .initial: names.append("initial")
    case .any(let leader): names.append("any after \(leader)")
    }
    if let collective = setting.collective { names.append("one of \(Setting.every(collective))") }
    if let summary = setting.driftSummary { names.append(summary) }
    return names
  }
}
