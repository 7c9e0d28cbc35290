internal import Formats
internal import HostModel

extension FuzzTarget {
  /// What whoever may define a domain says to Berth: lines of a key, “=”, and a text.
  static let domainMetadata = FuzzTarget(name: "metadata") { bytes throws(BrokenPromise) in
    let keys = bytes.split(separator: UInt8(ascii: "\n")).map { line in
      let parts = line.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return MetadataKey(
        key: String(decoding: parts[0], as: UTF8.self),
        text: String(decoding: parts.dropFirst().joined(), as: UTF8.self))
    }
    let plain = try policy([]).value
    let decided = try policy(keys)
    var harmless = decided.value
    harmless.isolation = plain.isolation
    harmless.memory.reservesHugepages = plain.memory.reservesHugepages
    harmless.pins = plain.pins
    harmless.pinsAutomatically = plain.pinsAutomatically
    try promise(harmless == plain, "a domain decides on its own threads and pages alone")
    try promise(decided.warnings.count <= min(keys.count, 101), "each key has one warning at most")
    try promise(
      decided.warnings.allSatisfy { $0.unicodeScalars.count <= 500 }, "each warning fits on a line")
    // Of more keys, only the first ones count.
    if keys.count > 50 { return }
    let twice = try policy(keys + keys)
    try promise(twice.value == decided.value, "what is said twice is as if it were said once")
    try promise(
      twice.warnings == decided.warnings + decided.warnings, "a warning depends on its key alone")
  }

  /// Nothing of it is what stands without it, so that no change of it goes unseen.
  private static let file = PolicyFile(
    """
    [defaults]
    hugepages.required = false
    memory.compact = "never"
    memory.drop-caches = true
    pci.bind = ["0000:0b:00.0"]
    pci.driver = "pci-stub"
    pci.force = ["0000:0b:00.0"]
    pci.required = false
    scheduler.fifo-priority = 3
    budget = { before-start = "1m", running = 9, giving-back = "7s" }
    """, named: "berth.toml")

  private static func policy(_ keys: [MetadataKey]) throws(BrokenPromise) -> DomainPolicy {
    var domain = Domain(hypervisor: .libvirt, name: "vm", id: nil, vcpus: 2)
    domain.metadata = keys
    do throws(PolicyError) {
      return try file.policy(for: domain)
    } catch {
      throw BrokenPromise(description: "metadata alone makes the policy fail: \(error)")
    }
  }
}
