internal import Bytes
internal import Formats

/// Profiles, or keys of the policy, with what there is to say about each key.
struct ExplanationReport: Encodable {
  var explained: [Explained]

  struct Explained: Encodable {
    var name: String
    var purpose: String
    var keys: [Key]
  }

  struct Key: Encodable {
    var key: String
    /// As it would be written in the file, as are the default and the example.
    var value: String
    var standard: String
    var type: String
    var values: String
    var example: String
    var does: String
    var cost: String?
    var risk: String?
    /// Who may say it besides the policy file.
    var others: String?

    private enum CodingKeys: String, CodingKey {
      case key, value, type, values, example, does, cost, risk, others
      case standard = "default"
    }
  }

  init(_ explanations: [PolicyExplanation]) {
    explained = explanations.map { explanation in
      Explained(
        name: explanation.name, purpose: explanation.purpose,
        keys: explanation.keys.map { key in
          Key(
            key: key.path, value: key.value, standard: key.standard, type: key.type,
            values: key.values, example: key.example, does: key.purpose, cost: key.cost,
            risk: key.risk,
            others: key.others)
        })
    }
  }

  /// Everything about every key.
  var lines: [Text] { explained.flatMap(\.lines) }

  /// A line for each profile, with what it sets, and everything about every key.
  var everything: [Text] {
    summary + explained.filter { $0.name == "auto" }.flatMap { $0.keys.flatMap(\.lines) }
  }

  private var summary: [Text] {
    explained.flatMap { profile -> [Text] in
      let title = Text(profile.name, .bold) + Text(": \(profile.purpose)")
      // That of the empty profile is the list of all defaults.
      let keys = profile.name == "auto" ? [] : profile.keys
      return [title] + keys.map { Text("  \($0.key) = \($0.value)") }
    }
  }
}

extension ExplanationReport.Explained {
  var lines: [Text] {
    [Text(name, .bold) + Text(": \(purpose)")] + keys.flatMap(\.lines)
  }
}

extension ExplanationReport.Key {
  var lines: [Text] {
    var lines: [Text] = ["", Text("\(key) = \(value)", .bold)]
    lines += Self.lines("does", does)
    lines += Self.lines("type", type)
    lines += Self.lines("values", values)
    if value != standard { lines += Self.lines("default", standard) }
    // What is to be copied stays in one piece.
    for (index, line) in example.lines.enumerated() {
      lines.append(Self.line(index == 0 ? "example" : "", String(line)))
    }
    if let cost { lines += Self.lines("cost", cost) }
    if let risk { lines += Self.lines("risk", risk) }
    if let others { lines += Self.lines("also", others) }
    return lines
  }

  private static let indent = 11

  private static func lines(_ label: String, _ words: String) -> [Text] {
    TopologyPlan.wrapped(words, indent: indent).enumerated().map {
      line($0 == 0 ? label : "", $1)
    }
  }

  private static func line(_ label: String, _ words: String) -> Text {
    let gap = String(repeating: " ", count: indent - 2 - label.count)
    return Text("  \(label)\(gap)\(words)")
  }
}
