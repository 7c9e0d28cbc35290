/// A profile that every host has without a policy file: keys that serve one purpose together.
///
/// A `[profile.NAME]` of the same name adds to it, key by key.
struct BuiltInProfile: Sendable {
  let name: String
  /// What it is for, in one line.
  let purpose: String
  let values: [(path: String, value: PolicyValue)]

  static func named(_ name: String) -> BuiltInProfile? { all.first { $0.name == name } }

  static let all: [BuiltInProfile] = [
    BuiltInProfile(
      name: "auto", purpose: "what the VM's own configuration asks for, and nothing else",
      values: []),
    BuiltInProfile(
      name: "latency", purpose: "games, VR, audio, trading: vCPUs that answer at once",
      values: [
        ("cpu.governor", .string("performance")),
        // Just above C1 of both vendors, and below what they call deep.
        ("cpu.max-wakeup-latency", .integer(3)),
        ("cpu.watchdog", .bool(false)),
        ("cpu.whole-cores", .bool(true)),
        ("settings", .table(["vm.stat_interval": .integer(10)])),
      ]),
    BuiltInProfile(
      name: "throughput", purpose: "builds, databases, GPU farms: the most work from all CPUs",
      values: [
        ("cpu.governor", .string("performance")),
        ("interrupts.move", .string("never")),
        ("isolation", .string("none")),
        ("memory.compact", .string("always")),
      ]),
    BuiltInProfile(
      name: "minimal", purpose: "only what the VM cannot start without: its huge pages and devices",
      values: [
        ("interrupts.move", .string("never")),
        ("isolation", .string("none")),
        ("pins.vcpus", .array([])),
      ]),
  ]

  /// The profile as a section of the policy file would have it.
  var section: PolicySection {
    var section = PolicySection()
    for (path, value) in values {
      guard let key = PolicyKey.named(path) else { preconditionFailure("there is no key \(path)") }
      section.append((key, value, nil))
    }
    return section
  }
}
