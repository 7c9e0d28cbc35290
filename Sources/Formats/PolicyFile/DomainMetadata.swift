internal import Bytes
internal import HostModel

/// What a domain's own `<metadata>` may decide.
enum DomainMetadata {
  /// How many keys are looked at: more than there are, and fewer than would keep a start waiting.
  private static let limit = 100

  /// Applies the keys that are safe for the host, and says of the others why they are not taken.
  ///
  /// Whoever may define a domain need not be the host's administrator: from here nothing may bind
  /// a device, drop a cache, take a real-time priority, or run anything.
  static func apply(_ keys: [MetadataKey], to policy: inout Policy) -> [String] {
    var warnings: [String] = []
    for entry in keys.prefix(limit) {
      let objection = apply(entry, to: &policy)
      if let objection { warnings.append("ignoring the domain's metadata: \(objection)") }
    }
    if keys.count > limit {
      warnings.append("ignoring all but the first \(limit) keys of the domain's metadata")
    }
    return warnings
  }

  private static func apply(_ entry: MetadataKey, to policy: inout Policy) -> String? {
    guard let key = PolicyKey.named(entry.key) else {
      let words = ["command", "exec", "run", "script", "hook", "shell"]
      if words.contains(where: { entry.key.lowercasedASCII.has(text: $0) }) {
        return "\(quoted(entry.key)) looks like a command, and Berth runs none that a domain names"
      }
      return PolicyReader.unknown(
        entry.key, among: PolicyKey.all.filter(\.isHostSafe).map(\.path))
    }
    guard key.isHostSafe else { return "\(key.path) is taken from the policy file only" }
    let value = PolicyValue(metadata: entry.text)
    var changed = policy
    do throws(PolicyValueError) {
      try key.read(value, &changed)
    } catch {
      return "\(key.path) is \(value), not \(error.expected)"
    }
    policy = changed
    return nil
  }
}
