internal import Bytes
internal import HostModel

/// One key of the policy for people: what it does, what it costs and what may go wrong.
package struct ExplainedKey: Sendable {
  package var path: String
  /// As it would be written in the file.
  package var value: String
  /// What holds where nobody says otherwise, written in the same way.
  package var standard: String
  /// The types of TOML that it takes, such as `boolean or text`.
  package var type: String
  /// What it takes of these, in a few words.
  package var values: String
  /// A line of a policy file, behind that of its section where that is not any section.
  package var example: String
  package var purpose: String
  /// nil for nothing worth a word.
  package var cost: String?
  package var risk: String?
  /// Whose word counts besides that of the file, in a few words; nil where nobody else's does.
  package var others: String?
}

extension ExplainedKey {
  init(_ key: PolicyKey, value: String) {
    let price = PolicyPrice.of[key.path]
    self.init(
      path: key.path, value: value, standard: key.standard, type: key.type, values: key.allowed,
      example: key.example, purpose: key.purpose, cost: price?.cost, risk: price?.risk,
      others: key.narrows == nil ? nil : "the VM's own metadata, as far as limits.metadata lets it")
  }
}

/// A profile, a key or a group of keys with what there is to say about each.
package struct PolicyExplanation: Sendable {
  package var name: String
  package var purpose: String
  /// Ascending by their paths.
  package var keys: [ExplainedKey]
}

extension PolicyFile {
  /// The profiles that a VM of this host can have: those of every host, and those of the file.
  package var profiles: [PolicyExplanation] {
    let own = ownProfiles.filter { BuiltInProfile.named($0) == nil }.sorted()
    return (BuiltInProfile.all.map(\.name) + own).compactMap(profile)
  }

  /// What a name stands for: a profile, a key (`cpu.governor`), or the keys of a group (`cpu`).
  ///
  /// Keys that are no part of a profile have the value that a VM has without any policy.
  package func explanation(of name: String) -> PolicyExplanation? {
    if let profile = profile(name) { return profile }
    let keys = PolicyKey.all.filter { $0.path == name || $0.path.begins(with: name + ".") }
    guard !keys.isEmpty else { return nil }
    return PolicyExplanation(
      name: name, purpose: "what holds where no policy says otherwise",
      keys: keys.map { ExplainedKey($0, value: $0.standard) }.sorted { $0.path < $1.path })
  }

  /// The nearest of all names that can be explained.
  package func nearestName(to name: String) -> String? {
    Spelling.nearest(to: name, among: explainedNames)
  }

  /// The profiles and keys that can be explained.
  package var explainedNames: [String] { profiles.map(\.name) + PolicyKey.all.map(\.path) }

  private func profile(_ name: String) -> PolicyExplanation? {
    let builtIn = BuiltInProfile.named(name)
    guard let section = section(ofProfile: name) else { return nil }
    if name == "auto", section.values.isEmpty {
      return PolicyExplanation(
        name: name, purpose: builtIn?.purpose ?? "",
        keys: PolicyKey.all.map { ExplainedKey($0, value: $0.standard) }
          .sorted { $0.path < $1.path })
    }
    var values: [String: PolicyValue] = [:]
    for (key, value, _) in section.values { values[key.path] = value }
    let keys = PolicyKey.all.compactMap { key in
      values[key.path].map { ExplainedKey(key, value: $0.toml) }
    }
    return PolicyExplanation(
      name: name, purpose: builtIn?.purpose ?? "a profile of the policy file",
      keys: keys.sorted { $0.path < $1.path })
  }
}
