internal import FoundationEssentials

/// Reports as JSON.
enum JSON {
  /// The number of the form of all reports: it grows when a key goes or means something else, and stays when one
  /// is added.
  static let schema = 1

  /// The report in one line for each value, its keys in alphabetical order, `schema` among them.
  ///
  /// All in one line where one report follows another, so that a reader knows where each ends.
  static func text(of report: some Encodable, isOneLine: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !isOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    let bytes = try encoder.encode(Numbered(report: report))
    return Escape.json(String(decoding: bytes, as: UTF8.self))
  }

  /// A report with the number of its form beside its own keys.
  private struct Numbered<Report: Encodable>: Encodable {
    let report: Report

    private enum Key: String, CodingKey {
      case schema
    }

    func encode(to encoder: any Encoder) throws {
      var keys = encoder.container(keyedBy: Key.self)
      try keys.encode(JSON.schema, forKey: .schema)
      try report.encode(to: encoder)
    }
  }
}
