internal import FoundationEssentials

/// Reports as JSON.
enum JSON {
  /// The report in one line for each value, its keys in alphabetical order.
  static func text(of report: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Escape.json(String(decoding: try encoder.encode(report), as: UTF8.self))
  }
}
