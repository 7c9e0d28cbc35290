import Bytes
import HostModel
import Testing

@testable import Formats

/// What holds of each key for a VM and who says so; and what may stand behind each key.
struct EffectivePolicyTests {
  private func keys(
    _ text: String, of domain: Domain = Self.domain
  ) throws -> [String: EffectiveKey] {
    let found = try PolicyFile(text, named: "f").effective(for: domain).keys
    #expect(found.map(\.path) == found.map(\.path).sorted())
    return Dictionary(uniqueKeysWithValues: found.map { ($0.path, $0) })
  }

  private static let domain = Domain(
    hypervisor: .libvirt, name: "vm", id: "6f0ff3a1-0a2b-4c3d-8e4f-5a6b7c8d9e0f", vcpus: 1)

  @Test func withoutAFileEverythingIsADefault() throws {
    let found = try PolicyFile.empty.effective(for: Self.domain).keys
    #expect(found.allSatisfy { $0.origin == .standard })
    #expect(found.map(\.path) == PolicyKey.all.map(\.path).sorted())
    for key in found { #expect(key.value.toml == PolicyKey.named(key.path)?.standard) }
  }

  @Test func theStrongestWordCountsWithItsLine() throws {
    let found = try keys(
      """
      [limits]
      host-cpus = "0"
      [defaults]
      isolation = "slices"
      interrupts.move = "never"
      [profile.mine]
      interrupts.move = "always"
      memory.compact = "never"
      [vm."v*"]
      profile = "mine"
      [vm.vm]
      isolation = "none"
      """)
    func place(_ path: String) -> String? {
      guard case .written(let place)? = found[path]?.origin else { return nil }
      return "\(place.file):\(place.line) \(place.section)"
    }
    #expect(place("limits.host-cpus") == "f:2 [limits]")
    #expect(place("isolation") == "f:12 [vm.\"vm\"]")
    #expect(found["isolation"]?.value == .string("none"))
    #expect(place("interrupts.move") == "f:7 [profile.\"mine\"]")
    #expect(place("memory.compact") == "f:8 [profile.\"mine\"]")
    #expect(place("profile") == "f:10 [vm.\"v*\"]")
    #expect(found["cpu.governor"]?.origin == .standard)
  }

  @Test func aProfileOfEveryHostIsToldByWhatNamesIt() throws {
    let found = try keys("[vm.vm]\nprofile = \"latency\"\ncpu.watchdog = true\n")
    let named = PolicyPlace(file: "f", TOMLPlace(line: 2, column: 1), scope: .vm(ExactText("vm")))
    #expect(found["cpu.governor"]?.origin == .profile("latency", named: named))
    #expect(found["cpu.governor"]?.value == .string("performance"))
    #expect(
      found["cpu.watchdog"]?.origin
        == .written(
          PolicyPlace(file: "f", TOMLPlace(line: 3, column: 5), scope: .vm(ExactText("vm")))))
  }

  @Test func theVMsOwnMetadataIsToldWhereItCounts() throws {
    var domain = Self.domain
    domain.metadata = [
      MetadataKey(key: "isolation", text: "none"), MetadataKey(key: "pci.bind", text: "x"),
    ]
    let found = try keys("[vm.vm]\nmemory.compact = \"never\"\n", of: domain)
    #expect(found["isolation"]?.origin == .metadata && found["isolation"]?.value == .string("none"))
    #expect(found["pci.bind"]?.origin == .standard)
    let policy = try PolicyFile.empty.effective(for: domain)
    #expect(policy.warnings.contains { $0.contains("pci.bind") })
  }

  @Test func whatIsSaidIsWhatThePolicyDoes() throws {
    // The whole policy of every key's example, read once as a file and once from what is shown of it.
    let tables = Set(PolicyKey.all.compactMap(\.table))
    let own = PolicyKey.all.filter { $0.table == nil }.map(\.example).joined(separator: "\n")
    let general = PolicyKey.all.filter { $0.table != nil }.map { key in
      key.example.split(separator: "\n")
    }
    var text = "[vm.vm]\n\(own)\n"
    for table in tables.sorted() {
      text += "[\(table)]\n"
      for lines in general where lines[0] == "[\(table)]" { text += "\(lines[1])\n" }
    }
    let file = PolicyFile(text, named: "f")
    #expect(file.problems == [])
    var shown = Policy()
    for key in try file.effective(for: Self.domain).keys {
      try PolicyKey.named(key.path)?.read(key.value, &shown)
    }
    var policy = try file.policy(for: Self.domain).value
    _ = shown.keepPinsWithinLimits()
    #expect(policy == shown)
    policy.isEnabled = true
    #expect(policy != Policy())
  }

  @Test(arguments: PolicyKey.all.map(\.path))
  func everyKeyHasATypeItsValuesAndAnExampleThatIsNoDefault(path: String) throws {
    let key = try #require(PolicyKey.named(path))
    let example = try #require(PolicyKey.examples[path])
    let value = try #require(PolicyValue(toml: example))
    #expect(value.toml == example && example != key.standard)
    #expect(!key.allowed.isEmpty && !key.type.isEmpty && !key.type.contains("other"))
    var policy = Policy()
    try key.read(value, &policy)
    #expect(policy != Policy())
  }

  @Test func noExampleIsOfAKeyThatThereIsNot() {
    #expect(PolicyKey.examples.keys.sorted() == PolicyKey.all.map(\.path).sorted())
  }

  @Test(arguments: [
    ("cpu.boost", "boolean or text"), ("budget.running", "text or number"),
    ("pins.vcpus", "array or text or number"), ("limits.host-memory", "text or number"),
    ("settings", "table"), ("enabled", "boolean"),
  ])
  func typesAreThoseThatTheReaderTakes(path: String, type: String) {
    #expect(PolicyKey.named(path)?.type == type)
  }
}
