internal import Bytes
internal import HostModel

/// What a domain's own `<metadata>` may decide.
enum DomainMetadata {
  /// How many keys are looked at: more than there are, and fewer than would keep a start waiting.
  private static let limit = 100

  /// Applies the keys that are safe for the host as far as policy lets them, and says of the others
  /// why they are not taken; what has changed anything is added to `taken`.
  ///
  /// Whoever may define a domain need not be the host's administrator: from here nothing may bind
  /// a device, drop a cache, take a real-time priority, or run anything. What the file has said of a
  /// key already, by its path in `said`, may only be narrowed.
  static func apply(
    _ keys: [MetadataKey], to policy: inout Policy, besides said: [String: PolicyValue],
    taking taken: inout [String: PolicyValue]
  ) -> [String] {
    guard !keys.isEmpty else { return [] }
    if policy.limits.metadata == .none {
      return ["ignoring the VM's metadata: metadata = \"none\" stands under [limits]"]
    }
    var warnings: [String] = []
    for entry in keys.prefix(limit) {
      let objection = apply(entry, to: &policy, besides: said, taking: &taken)
      if let objection { warnings.append("ignoring the VM's metadata: \(objection)") }
    }
    if keys.count > limit {
      warnings.append("ignoring all but the first \(limit) keys of the VM's metadata")
    }
    return warnings
  }

  private static func apply(
    _ entry: MetadataKey, to policy: inout Policy, besides said: [String: PolicyValue],
    taking taken: inout [String: PolicyValue]
  ) -> String? {
    guard let key = PolicyKey.named(entry.key) else {
      let words = ["command", "exec", "run", "script", "hook", "shell"]
      if words.contains(where: { entry.key.lowercasedASCII.has(text: $0) }) {
        return "\(quoted(entry.key)) looks like a command, and Berth runs none that a VM names"
      }
      return PolicyReader.unknown(
        entry.key, among: PolicyKey.all.filter { $0.narrows != nil }.map(\.path))
    }
    guard let narrows = key.narrows else { return "\(key.path) is taken from the policy file only" }
    let value = PolicyValue(metadata: entry.text)
    var changed = policy
    do throws(PolicyValueError) {
      try key.read(value, &changed)
    } catch {
      return "\(key.path) is \(value), not \(error.expected)"
    }
    if changed == policy { return nil }
    if policy.limits.metadata == .narrow, let said = said[key.path], !narrows(changed, policy) {
      return "\(key.path) is \(value), but the policy file says \(said), which metadata can only "
        + "narrow unless metadata = \"any\" stands under [limits]"
    }
    policy = changed
    taken[key.path] = value
    return nil
  }
}
