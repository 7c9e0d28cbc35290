package import HostModel

/// Who has said what holds of a key.
package enum PolicyOrigin: Hashable, Sendable {
  /// Nobody: it is the default.
  case standard
  /// A section of the policy file.
  case written(PolicyPlace)
  /// A profile that every host has, by the line that names it.
  case profile(String, named: PolicyPlace)
  /// The VM's own metadata.
  case metadata
}

/// A key of the policy with what holds of it for one VM.
package struct EffectiveKey: Hashable, Sendable {
  package var path: String
  package var value: PolicyValue
  package var origin: PolicyOrigin
}

extension PolicyFile {
  /// Every key with what holds of it for a domain and who says so, ascending by their paths; `profile` is among
  /// them where one is named.
  ///
  /// - Throws: Where the domain's policy is not known.
  package func effective(
    for domain: Domain
  ) throws(PolicyError) -> (keys: [EffectiveKey], warnings: [String]) {
    let policy = try self.policy(for: domain)
    var said: [String: (value: PolicyValue, origin: PolicyOrigin)] = [:]
    for (section, profile) in [(general, nil)] + parts(for: sections(for: domain)) {
      for (key, value, place) in section.values {
        let named = profile.map { PolicyOrigin.profile($0.name, named: $0.place) }
        said[key.path] = (value, place.map { .written($0) } ?? named ?? .standard)
      }
      if let profile { said["profile"] = (.string(profile.name), .written(profile.place)) }
    }
    for (path, value) in policy.metadata { said[path] = (value, .metadata) }
    let paths = PolicyKey.all.map(\.path) + (said["profile"] == nil ? [] : ["profile"])
    let keys = paths.sorted().map { path in
      let standard = PolicyKey.named(path).flatMap { PolicyValue(toml: $0.standard) }
      let (value, origin) = said[path] ?? (standard ?? .string(""), .standard)
      return EffectiveKey(path: path, value: value, origin: origin)
    }
    return (keys, policy.warnings)
  }
}
