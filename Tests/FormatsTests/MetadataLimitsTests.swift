import HostModel
import Testing

@testable import Formats

/// What a domain's own metadata may decide beside the policy file, and what the limits of that are.
struct MetadataLimitsTests {
  private static func answer(
    _ text: String, _ keys: [(String, String)]
  ) throws -> DomainPolicy {
    var domain = Domain(hypervisor: .libvirt, name: "a", id: nil, vcpus: 4)
    domain.metadata = keys.map { MetadataKey(key: $0.0, text: $0.1) }
    return try PolicyFile(text, named: "f").policy(for: domain)
  }

  /// What the file says, what metadata wishes, and whether it gets it.
  @Test(arguments: [
    ("", "isolation", "partition", true), ("", "pins.vcpus", "8-9", true),
    ("", "hugepages.reserve", "true", true), ("[defaults]", "isolation", "slices", true),
    ("[defaults]\nisolation = \"none\"", "isolation", "partition", false),
    ("[defaults]\nisolation = \"none\"", "isolation", "auto", false),
    ("[vm.a]\nisolation = \"auto\"", "isolation", "partition", false),
    ("[vm.a]\nisolation = \"partition\"", "isolation", "none", true),
    ("[defaults]\nprofile = \"throughput\"", "isolation", "slices", false),
    ("[vm.\"*\"]\nprofile = \"minimal\"", "pins.vcpus", "4-5", false),
    ("[defaults]\nhugepages.reserve = false", "hugepages.reserve", "true", false),
    ("[defaults]\nhugepages.reserve = true", "hugepages.reserve", "false", true),
    ("[vm.a]\npins.vcpus = [\"4-5\", \"6\"]", "pins.vcpus", "5-6", true),
    ("[vm.a]\npins.vcpus = \"4-5\"", "pins.vcpus", "8-9", false),
    ("[vm.a]\npins.vcpus = \"4-5\"", "pins.vcpus", "4", false),
    ("[vm.a]\npins.vcpus = \"4-5\"", "pins.vcpus", "4-6", false),
    ("[vm.a]\npins.vcpus = \"auto\"", "pins.vcpus", "4-5", false),
    ("[vm.a]\npins.emulator = \"2-3\"", "pins.emulator", "3", true),
    ("[vm.a]\npins.emulator = \"2-3\"", "pins.emulator", "4", false),
    ("[vm.a]\npins.emulator = \"2-3\"", "pins.emulator", "", false),
    ("[vm.b]\nisolation = \"none\"", "isolation", "partition", true),
  ])
  func metadataFillsAndNarrows(text: String, key: String, value: String, isTaken: Bool) throws {
    let without = try Self.answer(text, []).value
    let alone = try Self.answer("", [(key, value)]).value
    let found = try Self.answer(text, [(key, value)])
    #expect((found.warnings == []) == isTaken, "\(found.warnings)")
    if isTaken {
      #expect(found.value.isolation == alone.isolation || key != "isolation")
      #expect(found.value.pins.vcpus == alone.pins.vcpus || key != "pins.vcpus")
    } else {
      #expect(found.value == without)
      #expect(found.warnings.first?.contains("metadata = \"any\" stands under [limits]") == true)
    }
    var limited = try Self.answer("limits.metadata = \"none\"\n" + text, [(key, value)])
    limited.value.limits.metadata = .narrow
    #expect(limited.value == without && limited.warnings.count == 1)
    let free = try Self.answer("limits.metadata = \"any\"\n" + text, [(key, value)])
    #expect(
      free.warnings == [] && free.value.pins.emulator == alone.pins.emulator
        || key != "pins.emulator")
  }

  /// Whose word gives power over the host.
  @Test func onlyWhatIsTheVMsOwnIsToBeHadByMetadata() {
    let open = PolicyKey.all.filter { $0.narrows != nil }.map(\.path)
    #expect(
      open == ["isolation", "hugepages.reserve", "pins.vcpus", "pins.iothreads", "pins.emulator"])
    let told = PolicyFile.empty.explanation(of: "auto")?.keys.filter { $0.others != nil }
    #expect(told?.map(\.path) == open.sorted())
  }

  @Test func limitsHoldForEveryVMAndStandInTheirOwnSection() throws {
    let file = PolicyFile(
      """
      [limits]
      host-memory = "2GiB"
      host-cpus = "0,8"
      cpus = "4-7,12-15"
      nodes = 1
      metadata = "none"
      """, named: "f")
    #expect(file.problems.isEmpty)
    let limits = try file.policy(for: Domain(hypervisor: .proxmox, name: "x", id: "1", vcpus: 1))
      .value.limits
    #expect(limits == file.limits && limits.hostMemoryKiB == 2 << 20)
    #expect(limits.hostCPUs == [0, 8] && limits.hostCPUCount == 1 && limits.nodes == [1])
    #expect(limits.cpus == [4, 5, 6, 7, 12, 13, 14, 15] && limits.metadata == .none)
  }

  @Test(arguments: [
    (
      "[vm.a]\nlimits.host-cpus = 2",
      "f:2: limits.host-cpus is no VM's own; it stands under [limits]"
    ),
    (
      "[defaults]\nproxmox.names = true",
      "f:2: proxmox.names is no VM's own; it stands under [proxmox]"
    ),
    (
      "[limits]\nhost-cpu = 2",
      "f:2: there is no key “limits.host-cpu”; the nearest is “limits.host-cpus”"
    ),
    ("[limits]\nenabled = false", "f:2: there is no key “limits.enabled”"),
    ("[limits]\nhost-cpus = 0", "f:2: limits.host-cpus is 0, not a number of CPUs from 1 on"),
    ("[limits]\nhost-cpus = \"\"", "f:2: limits.host-cpus is “”, not a number of CPUs from 1 on"),
    (
      "[limits]\nhost-memory = \"2GB\"",
      "f:2: limits.host-memory is “2GB”, not “auto”, 0 or an amount"
    ),
    ("[limits]\nhost-memory = \"99999999999999999999GiB\"", "f:2: limits.host-memory is "),
    ("[limits]\nhost-memory = -1", "f:2: limits.host-memory is -1, not"),
    ("[limits]\nmetadata = true", "f:2: limits.metadata is true, not none, narrow or any"),
    ("[limit]\nhost-cpus = 1", "f:1: there is no section [limit]; the nearest is [limits]"),
    ("limits = 3", "f:1: limits is 3, not a section"),
  ])
  func saysWhatIsWrongWithLimits(text: String, sentence: String) {
    let file = PolicyFile(text, named: "f")
    let found = file.problems.map { "\($0.file):\($0.line): \($0.sentence)" }
    #expect(found.count == 1 && found[0].hasPrefix(sentence), "\(file.problems)")
  }

  @Test func anErrorInTheLimitsConcernsEveryVM() {
    let file = PolicyFile("[limits]\nhost-cpus = 0\n[vm.b]", named: "f")
    for name in ["a", "b"] {
      let error = #expect(throws: PolicyError.self) {
        try file.policy(for: Domain(hypervisor: .libvirt, name: name, id: nil, vcpus: 1))
      }
      #expect(error?.isNamed == (name == "b"))
    }
  }

  @Test func pinsBeyondTheLimitsAreLeftOut() throws {
    let answer = try Self.answer(
      """
      [limits]
      host-cpus = "0-1"
      cpus = "0-7"
      [vm.a]
      pins.vcpus = ["4", "1", "9"]
      pins.iothreads = ["0-2"]
      pins.emulator = "2-3"
      """, [])
    #expect(answer.value.pins.vcpus == [0: [4]] && answer.value.pins.iothreads.isEmpty)
    #expect(answer.value.pins.emulator == [2, 3])
    #expect(
      answer.warnings == [
        "vCPU 1 is not pinned to CPU 1, which no VM may claim: host-cpus = \"0-1\" under [limits]",
        "vCPU 2 is not pinned to CPU 9, which no VM may claim: cpus = \"0-7\" under [limits]",
        "iothread 1 is not pinned to CPU 0-1, which no VM may claim: host-cpus = \"0-1\" under [limits]",
      ])
  }
}
