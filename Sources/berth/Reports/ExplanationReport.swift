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
    var value: String
    var does: String
    var cost: String?
    var risk: String?
    /// Who may say it besides the policy file.
    var others: String?
  }

  init(_ explanations: [PolicyExplanation]) {
    explained = explanations.map { explanation in
      Explained(
        name: explanation.name, purpose: explanation.purpose,
        keys: explanation.keys.map { key in
          Key(
            key: key.path, value: key.value, does: key.purpose, cost: key.cost, risk: key.risk,
            others: key.others)
        })
    }
  }

  /// Everything about every key.
  var lines: [Text] { explained.flatMap(\.lines) }

  /// A line for each profile, with what it sets.
  var summary: [Text] {
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
    var lines: [Text] = ["", Text("\(key) = \(value)", .bold), Text("  does  \(does)")]
    if let cost { lines.append(Text("  cost  \(cost)")) }
    if let risk { lines.append(Text("  risk  \(risk)")) }
    if let others { lines.append(Text("  also  \(others)")) }
    return lines
  }
}
