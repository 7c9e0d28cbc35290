internal import HostModel

/// A key that has no effect because of another one, although each is right by itself.
struct Contradiction {
  /// The key that does nothing.
  var key: String
  /// Whether it does, under a policy as a whole.
  var isIdle: @Sendable (Policy) -> Bool
  /// Why.
  var reason: String

  static let all: [Contradiction] = [
    Contradiction(
      key: "cpu.whole-cores", isIdle: { $0.cpu.keepsWholeCores && $0.isolation == .none },
      reason: "isolation = \"none\" keeps nothing off any CPU"),
    Contradiction(
      key: "cpu.contested", isIdle: { $0.isolation == .none },
      reason: "isolation = \"none\" reserves no CPU for the VM"),
    Contradiction(
      key: "hugepages.required",
      isIdle: { $0.memory.requiresHugepages && !$0.memory.reservesHugepages },
      reason: "hugepages.reserve = false reserves none"),
    Contradiction(
      key: "memory.drop-caches",
      isIdle: { $0.memory.dropsCaches && !$0.memory.reservesHugepages },
      reason: "caches are dropped for huge pages alone, and hugepages.reserve = false reserves none"
    ),
    Contradiction(
      key: "companions.required",
      isIdle: { $0.beside.stoppedDomains.isEmpty },
      reason: "companions.stop names no VM"),
    Contradiction(
      key: "companions.patience",
      isIdle: { $0.beside.stoppedDomains.isEmpty },
      reason: "companions.stop names no VM"),
  ]
}

extension SectionPolicy {
  /// The section's own keys that do nothing because of others.
  package var contradictions: [PolicyProblem] {
    if !policy.isEnabled, let place = places["enabled"] {
      var idle = places
      idle["enabled"] = nil
      let others = idle.keys.sorted()
      if others.isEmpty { return [] }
      return [
        PolicyProblem(
          at: place, "\(others.joined(separator: ", ")) of \(header) do nothing: enabled = false")
      ]
    }
    return Contradiction.all.compactMap { rule in
      guard let place = places[rule.key], rule.isIdle(policy) else { return nil }
      return PolicyProblem(at: place, "\(rule.key) of \(header) does nothing: \(rule.reason)")
    }
  }
}

extension PolicyProblem {
  init(at place: PolicyPlace, _ sentence: String) {
    self.init(
      file: place.file, line: place.line, column: place.column, sentence: sentence,
      scope: place.scope)
  }
}
