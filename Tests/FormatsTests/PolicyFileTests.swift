import HostModel
import Support
import Testing

@testable import Formats

struct PolicyFileTests {
  @Test func leavesEverythingAsItIsWithoutAFile() throws {
    #expect(
      try PolicyFile.empty.policy(for: vm("a")) == DomainPolicy(value: Policy(), warnings: []))
    #expect(!PolicyFile.empty.names(vm("a")))
  }

  /// A later file counts before an earlier one, key by key, and a profile may be in another file than the
  /// section that names it.
  @Test func severalFilesAreOnePolicy() throws {
    let file = PolicyFile([
      (
        Array(
          """
          [defaults]
          isolation = "slices"
          cpu.governor = "powersave"
          [vm.a]
          profile = "mine"
          memory.compact = "never"
          [profile.mine]
          cpu.boost = true
          """.utf8), "berth.toml"
      ),
      (
        Array(
          """
          [defaults]
          cpu.governor = "performance"
          [vm.a]
          memory.compact = "always"
          [profile.mine]
          cpu.boost = false
          """.utf8), "10-a.toml"
      ),
      (Array("[vm.b]\nprofile = \"mine\"\n".utf8), "20-b.toml"),
    ])
    #expect(file.problems.isEmpty)
    let a = try file.policy(for: vm("a")).value
    #expect(a.isolation == .slices && a.cpu.governor == "performance")
    #expect(a.memory.compaction == .always && a.cpu.boost == false)
    #expect(try file.policy(for: vm("b")).value.cpu.boost == false)
    #expect(file.cautions(on: .libvirt).isEmpty)
  }

  @Test func aProblemIsToldOfTheFileThatItIsIn() {
    let file = PolicyFile([
      (Array("[vm.a]\nprofile = \"x\"\n".utf8), "berth.toml"),
      (Array("[vm.a]\nfast = true\n".utf8), "10.toml"), (Array("=".utf8), "20.toml"),
    ])
    #expect(file.problems.map(\.file) == ["berth.toml", "10.toml", "20.toml"])
    #expect(file.problems.map(\.line) == [2, 2, 1])
  }

  @Test func readsEveryKey() throws {
    let policy = try policy(
      """
      [defaults]
      enabled = false
      isolation = "slices"
      hugepages.reserve = false
      hugepages.required = false
      memory.compact = "always"
      memory.drop-caches = true
      pci.bind = ["0000:0b:00.0", "0c:00.1"]
      pci.driver = "mlx5_vfio_pci"
      pci.force = ["0000:0b:00.0"]
      pci.required = false
      pci.give-back = false
      pins.vcpus = ["4", "", "5-6"]
      pins.iothreads = "2-3"
      pins.emulator = 7
      pins.guest-threads = 2
      scheduler.fifo-priority = 3
      cpu.governor = "performance"
      cpu.energy-preference = "balance_power"
      cpu.min-frequency = "2400MHz"
      cpu.boost = false
      cpu.max-wakeup-latency = 0
      cpu.watchdog = false
      interrupts.move = "always"
      interrupts.device-cpus = "4-5"
      settings = { "vm.swappiness" = 10, "/sys/module/kvm/parameters/ignore_msrs" = true }
      services.stop = ["display-manager", "a@b\\\\x2d1.socket"]
      companions = { stop = ["idle vm"], patience = 5, required = true }
      commands = [
        { run = ["/bin/a", "b c"], undo = ["/bin/d"], timeout = "2500ms", required = true },
        { at = "started", run = ["/e"] },
      ]
      host.stay-awake = true
      budget = { before-start = "2m", running = 9, giving-back = "500ms" }
      """)
    var wanted = Policy()
    wanted.isEnabled = false
    wanted.isolation = .slices
    wanted.memory.reservesHugepages = false
    wanted.memory.requiresHugepages = false
    wanted.memory.compaction = .always
    wanted.memory.dropsCaches = true
    wanted.pci.functions = ["0000:0b:00.0", "0000:0c:00.1"].compactMap { PCIAddress($0) }
    wanted.pci.driver = "mlx5_vfio_pci"
    wanted.pci.forced = ["0000:0b:00.0"].compactMap { PCIAddress($0) }
    wanted.pci.requiresFunctions = false
    wanted.pci.givesBack = false
    wanted.pinsAutomatically = false
    wanted.guestThreads = 2
    wanted.pins.vcpus = [0: [4], 2: [5, 6]]
    wanted.pins.iothreads = [1: [2], 2: [3]]
    wanted.pins.emulator = [7]
    wanted.fifoPriority = 3
    wanted.cpu.governor = "performance"
    wanted.cpu.energyPreference = "balance_power"
    wanted.cpu.minimumFrequency = .kHz(2_400_000)
    wanted.cpu.boost = false
    wanted.cpu.maximumWakeupLatency = 0
    wanted.cpu.hasWatchdog = false
    wanted.interrupts.move = .always
    wanted.interrupts.deviceCPUs = [4, 5]
    wanted.settings = [
      Policy.Attribute(path: "/proc/sys/vm/swappiness", value: "10"),
      Policy.Attribute(path: "/sys/module/kvm/parameters/ignore_msrs", value: "1"),
    ]
    wanted.beside.stoppedServices = ["display-manager.service", "a@b\\x2d1.socket"]
    wanted.beside.stoppedDomains = ["idle vm"]
    wanted.beside.patience = 5_000
    wanted.beside.requiresStoppedDomains = true
    wanted.beside.staysAwake = true
    var first = Policy.Command(run: ["/bin/a", "b c"])
    first.undo = ["/bin/d"]
    first.milliseconds = 2_500
    first.isRequired = true
    var second = Policy.Command(run: ["/e"])
    second.moment = .started
    wanted.beside.commands = [first, second]
    wanted.budgets.beforeStart = 120_000
    wanted.budgets.running = 9_000
    wanted.budgets.givingBack = 500
    #expect(policy == wanted)
  }

  /// What is no unit, no domain or no command, with a part of what is said.
  @Test(
    arguments: [
      ("services.stop = \"gdm\"", "an array of services"),
      ("services.stop = [\"graphical.target\"]", "an array of services"),
      ("services.stop = [\"user.slice\"]", "an array of services"),
      ("services.stop = [\"../x.service\"]", "an array of services"),
      ("services.stop = [\"-x.service\"]", "an array of services"),
      ("services.stop = [7]", "an array of services"),
      ("companions.stop = [\"a/b\"]", "an array of VMs"),
      ("companions.stop = [\"\"]", "an array of VMs"),
      ("commands = \"rm\"", "an array of tables"),
      ("commands = [\"rm\"]", "an array of tables"),
      ("commands = [{ run = [] }]", "absolute path"),
      ("commands = [{ run = [\"rm\", \"-rf\"] }]", "absolute path"),
      ("commands = [{ run = [\"/bin/../x\"] }]", "absolute path"),
      ("commands = [{ run = [\"/bin/x y\"] }]", "absolute path"),
      ("commands = [{ run = [\"/bin/\"] }]", "absolute path"),
      ("commands = [{ run = [\"/bin/x\"], undo = \"/bin/y\" }]", "absolute path"),
      ("commands = [{ undo = [\"/bin/x\"] }]", "each have the key run"),
      ("commands = [{ run = [\"/bin/x\"], shell = true }]", "“shell” is none"),
      ("commands = [{ run = [\"/bin/x\"], at = \"stopped\" }]", "before-start or started"),
      (
        "commands = [{ run = [\"/bin/x\"], at = \"started\", required = true }]",
        "only what is at “before-start” is required"
      ),
    ])
  func refusesWhatNamesNoUnitDomainOrCommand(line: String, words: String) {
    let file = PolicyFile("[defaults]\n\(line)", named: "f")
    #expect(file.problems.count == 1)
    #expect(file.problems.allSatisfy { "\($0)".contains(words) }, "\(file.problems)")
  }

  @Test func takesTheStrongerValue() throws {
    let text = """
      [vm.win11]
      memory.compact = "never"
      [vm."win*"]
      isolation = "partition"
      memory.compact = "always"
      profile = "quick"
      [vm."*"]
      isolation = "slices"
      [vm."6F0FF3A1-0a2b-4c3d-8e4f-5a6b7c8d9e0f"]
      budget.running = 3
      [profile.quick]
      isolation = "none"
      budget.running = 1
      budget.giving-back = 1
      [profile.base]
      budget.before-start = 7
      [defaults]
      profile = "base"
      isolation = "auto"
      pci.driver = "pci-stub"
      """
    let policy = try policy(text)
    // Globs in the order of the file, then the names.
    #expect(policy.isolation == .slices)
    #expect(policy.memory.compaction == .never)
    #expect(policy.budgets.running == 3_000)
    #expect(policy.budgets.givingBack == 1_000)
    #expect(policy.budgets.beforeStart == 7_000)
    #expect(policy.pci.driver == "pci-stub")
  }

  @Test(arguments: [
    ("a", "a", true), ("a*", "abc", true), ("?", "ab", false), ("[ab]", "b", true),
    ("100", "x", false), ("-*", "-rf", true), ("win 11\\n", "win 11\n", true), ("*", ".", true),
    ("00000000-*", "x", false), ("6f0ff3a1-*", "x", true), ("A", "a", false),
  ])
  func knowsWhomASectionIsFor(section: String, name: String, isNamed: Bool) {
    #expect(PolicyFile("[vm.\"\(section)\"]", named: "f").names(vm(name)) == isNamed)
  }

  @Test func findsAVMOfProxmoxByItsNumber() {
    let domain = Domain(hypervisor: .proxmox, name: "web", id: "100", vcpus: 1)
    #expect(PolicyFile("[vm.100]", named: "f").names(domain))
    #expect(!PolicyFile("[vm.web]", named: "f").names(domain))
    #expect(PolicyFile("proxmox.names = true\n[vm.web]", named: "f").names(domain))
    #expect(!PolicyFile("[vm.10]", named: "f").names(domain))
  }

  /// A text, and what is wrong with it.
  @Test(arguments: [
    ("[defaults]\n\nisolaton = 1", "f:3: there is no key “isolaton”; the nearest is “isolation”"),
    (
      "[vm.a]\n# x\nhugepages.reserved = true",
      "f:3: there is no key “hugepages.reserved”; the nearest is “hugepages.reserve”"
    ),
    (
      "[vm.a.hugepages]\nreserve = \"yes\"", "f:2: hugepages.reserve is “yes”, not true or false"
    ),
    (
      "[vm.a]\nisolation = \"\"\"\nx\n\"\"\"\n",
      "f:2: isolation is “x\n”, not auto, partition, slices or none"
    ),
    ("[vm.a]\nmemory = 3", "f:2: memory is no key by itself; its keys are memory.compact, "),
    ("[vm.a]\nbudget = {running = 5, giving-back = \"5\"}", "f:2: budget.giving-back is “5”"),
    ("[vm.a]\nbudget.running = 1.5", "f:2: budget.running is 1.5, not a time"),
    ("[vm.a]\nbudget.running = 0", "f:2: budget.running is 0, not a time"),
    ("[vm.a]\nscheduler.fifo-priority = 100", "f:2: scheduler.fifo-priority is 100, not a number"),
    ("[vm.a]\npci.bind = \"0b:00.0\"", "f:2: pci.bind is “0b:00.0”, not an array"),
    ("[vm.a]\npci.bind = [\n\"0b:00.9\"\n]", "f:2: pci.bind is [“0b:00.9”], not an array"),
    ("[vm.a]\ncpu.governor = \"a b\"", "f:2: cpu.governor is “a b”, not the name of a governor"),
    ("[vm.a]\ncpu.energy-preference = \"default\"", "f:2: cpu.energy-preference is “default”, not"),
    ("[vm.a]\ncpu.min-frequency = 2400", "f:2: cpu.min-frequency is 2400, not “max” or a"),
    ("[vm.a]\ncpu.boost = \"on\"", "f:2: cpu.boost is “on”, not true, false or “”"),
    ("[vm.a]\ncpu.max-wakeup-latency = -1", "f:2: cpu.max-wakeup-latency is -1, not “” or a"),
    ("[vm.a]\nsettings = 3", "f:2: settings is 3, not a table such as { "),
    (
      "[vm.a.settings]\n\"/etc/passwd\" = \"x\"",
      "f:1: settings is a table, not a table of attributes below /proc/sys, /sys/module/*/parameters, "
        + "/sys/kernel/mm or /sys/devices/system/cpu (“/etc/passwd” is none)"
    ),
    ("[vm.a]\nsettings.vm.swappiness = []", "f:2: settings is a table, not a table of numbers, t"),
    (
      "[vm.a]\nsettings = { vm.x = 1, \"/proc/sys/vm/x\" = 2 }",
      "f:2: settings is a table, not a table that names each attribute once (/proc/sys/vm/x is"
    ),
    ("[settings]\nvm.swappiness = 10", "f:1: “settings” stands in no section"),
    ("[vm.a]\nisolation.x = 1", "f:2: isolation is a table, not auto, partition, slices or none"),
    ("[vm.a]\npci.driver = \"../x\"", "f:2: pci.driver is “../x”, not the name of a driver"),
    ("[vm.a]\npins.vcpus = [\"4-\"]", "f:2: pins.vcpus is [“4-”], not a list of CPUs"),
    ("[vm.a]\npins.emulator = 99999", "f:2: pins.emulator is 99999, not a list of CPUs"),
    ("[vm.a]\nprofile = \"realtme\"\n[profile.realtime]", "f:2: profile is “realtme”, but there"),
    ("[profile.x]\nprofile = \"y\"", "f:2: a profile names no profile of its own"),
    ("[vms.a]\nenabled = true", "f:1: there is no section [vms]; the nearest is [vm]"),
    ("isolation = \"none\"", "f:1: “isolation” stands in no section; put it under [defaults]"),
    ("[memory]\ncompact = \"never\"", "f:1: “memory” stands in no section"),
    ("defaults = 3", "f:1: defaults is 3, not a section"),
    ("[vm]\na = 3", "f:2: vm.a is 3, not a section; the sections are [vm.\"NAME\"]"),
    ("[vm.a]\nenabled = ", "f:2:11: expected a value, found the end of the file"),
    ("[vm.a]\nenabled = true\nenabled = false", "f:3:1: “enabled” is already defined in line 2"),
    ("[vm.a]\n[=]", "f:2:2: expected a key, found “=”"),
    ("[vm.a]\nx = [[1,}\n]", "f:2:9: expected a value, found “}”"),
    ("[vm.a]\nx = 2021-01-01 0", "f:2:5: “2021-01-01 0” is not a date or time such as"),
    ("[vm.a]\nx = 2021-01-01T:0", "f:2:5: “2021-01-01T:0” is not a date or time such as"),
    ("[vm.a]\n\u{0}", "f:2:1: expected a key, found the character U+0000"),
    ("[[vm.a]]\nenabled = true", "f:1: vm.a is [a table], not a section"),
  ])
  func saysWhatIsWrongAndWhere(text: String, sentence: String) {
    let problems = PolicyFile(text, named: "f").problems.map { problem in
      // The column is told of what is no TOML; that of keys is in a test of its own.
      let isTOML = PolicyFileTests.isTOML(text)
      return isTOML ? "\(problem.file):\(problem.line): \(problem.sentence)" : "\(problem)"
    }
    #expect(problems.first?.hasPrefix(sentence) == true, "\(problems)")
    #expect(problems.count == 1)
  }

  private static func isTOML(_ text: String) -> Bool {
    do {
      _ = try TOMLTable(parsing: Array(text.utf8))
      return true
    } catch {
      return false
    }
  }

  @Test(arguments: [
    ("[vm.a]\nisolatoin = \"auto\"", 2, 1), ("[vm.a]\n  isolatoin = 1", 2, 3),
    ("[vm.a]\ncpu.governr = \"x\"", 2, 5), ("[vm.a]\nx = 1", 2, 1), ("[vm]\n é.a = 3", 2, 2),
    ("  isolation = \"none\"", 1, 3), ("[vm.a]\nprofile = 3", 2, 1),
    ("[vm.a]\nprofile = \"latncy\"", 2, 1),
  ])
  func saysInWhichColumnAKeyStands(text: String, line: Int, column: Int) {
    let problems = PolicyFile(text, named: "f").problems
    #expect(problems.map(\.line) == [line] && problems.map(\.column) == [column], "\(problems)")
  }

  @Test(arguments: [
    (#"services.stop = ["a.service", "a b", "c.socket"]"#, "; see “a b”"),
    (#"services.stop = ["a b"]"#, ""), (#"services.stop = ["a b", "c d"]"#, ""),
    (#"pci.bind = ["0000:01:00.0", 3, "x"]"#, "; see 3, “x”"), (#"pci.bind = "x""#, ""),
  ])
  func namesTheElementThatIsWrong(line: String, words: String) throws {
    let problem = try #require(PolicyFile("[vm.a]\n" + line, named: "f").problems.first)
    #expect(problem.sentence.contains("; see") == !words.isEmpty)
    #expect(problem.sentence.hasSuffix(words), "\(problem)")
  }

  @Test func refusesAFileThatIsNotUTF8() {
    let file = PolicyFile(Array("[vm.a]\n# caf".utf8) + [0xe9], named: "f")
    #expect(file.problems.map(\.description) == ["f:2:6: the byte 0xE9, which is not UTF-8"])
    #expect(file.names(vm("a")))
  }

  @Test func findsEveryErrorInTheOrderOfTheText() {
    let text = "[vm.b]\nx = 1\n[vm.a]\nisolation = 1\n[defaults]\nenabled = 1\n"
    #expect(PolicyFile(text, named: "f").problems.map(\.line) == [2, 4, 6])
  }

  @Test func keepsAnErrorToThoseItConcerns() throws {
    let file = PolicyFile(
      """
      [vm.good]
      enabled = false
      [vm."bad*"]
      isolaton = 1
      [profile.broken]
      enabled = 1
      [vm.profiled]
      profile = "broken"
      """, named: "f")
    let good = try file.policy(for: vm("good"))
    #expect(!good.value.isEnabled)
    #expect(good.warnings.count == 1)
    #expect(try file.policy(for: vm("other")).value == Policy())
    #expect(error(file, vm("bad1"))?.isNamed == true)
    #expect(error(file, vm("bad1"))?.problems.map(\.line) == [4])
    #expect(error(file, vm("profiled"))?.problems.map(\.line) == [6])
  }

  @Test func spoilsEveryoneWithAnErrorInTheDefaults() {
    let file = PolicyFile("[defaults]\nenabled = 1\n[vm.named]", named: "f")
    #expect(error(file, vm("named"))?.isNamed == true)
    #expect(error(file, vm("other"))?.isNamed == false)
  }

  @Test(arguments: [
    "[vm.\"named\"]\nenabled = \n", "x = [\n[vm.'named']", "= = =\n  [ vm . named ] # x",
    "x\r\n[vm.named]\r\n",
    "[vm.a\n[vm.\"n\\u0061med\"]\nx", "[vm.named]\na = \"\"\"x", "a = {\n[vm.named]",
  ])
  func knowsTheNamesInATextThatIsNotTOML(text: String) {
    let file = PolicyFile(text, named: "f")
    #expect(file.problems.map(\.scope) == [.file])
    #expect(error(file, vm("named"))?.isNamed == true)
    #expect(error(file, vm("other"))?.isNamed == false)
  }

  @Test func endsAtEveryTruncationAndChange() {
    let bytes = Array(Self.uncommented.utf8)
    for count in bytes.indices {
      _ = PolicyFile(String(decoding: bytes[..<count], as: UTF8.self), named: "f").problems
      var changed = bytes
      changed[count] = UInt8(ascii: count % 2 == 0 ? "\"" : "[")
      _ = PolicyFile(String(decoding: changed, as: UTF8.self), named: "f").problems
    }
  }

  @Test func takesOnlyWhatIsSafeFromMetadata() throws {
    var domain = vm("a")
    domain.metadata = [
      ("isolation", "none"), ("hugepages.reserve", "no"), ("pins.vcpus", "8-9"),
      ("pins.emulator", "x"), ("pci.bind", "0000:0b:00.0"), ("on-start.command", "/bin/sh"),
      ("isolatoin", "none"),
    ].map { MetadataKey(key: $0.0, text: $0.1) }
    let answer = try PolicyFile("[vm.a]\nisolation = \"slices\"", named: "f").policy(for: domain)
    var wanted = Policy()
    wanted.isolation = .none
    wanted.memory.reservesHugepages = false
    wanted.pinsAutomatically = false
    wanted.pins.vcpus = [0: [8], 1: [9]]
    #expect(answer.value == wanted)
    #expect(
      answer.warnings.map { $0.replacing("ignoring the VM's metadata: ", with: "") } == [
        "pins.emulator is “x”, not a list of CPUs such as “4-7,12”",
        "pci.bind is taken from the policy file only",
        "“on-start.command” looks like a command, and Berth runs none that a VM names",
        "there is no key “isolatoin”; the nearest is “isolation”",
      ])
  }

  @Test(arguments: PolicyKey.all.map(\.path))
  func hasTheDefaultsThatTheTableSays(path: String) throws {
    let key = try #require(PolicyKey.named(path))
    let section = key.table == nil ? "[defaults]\n" : ""
    #expect(try policy("\(section)\(path) = \(key.standard)") == Policy())
  }
}

/// The sample and the documentation against the table of keys.
extension PolicyFileTests {
  private static let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  private static func text(_ path: String) throws -> String {
    try FileText.read("/\(repository)/\(path)")
  }

  /// The sample with every line that holds a setting or a header made one.
  private static var uncommented: String {
    let text = (try? text("hooks/berth.toml")) ?? ""
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasPrefix("#") && !line.hasPrefix("# ") ? line.dropFirst() : line
    }.joined(separator: "\n")
  }

  @Test func shipsASampleThatChangesNothing() throws {
    let file = PolicyFile(try Self.text("hooks/berth.toml"), named: "berth.toml")
    #expect(file.problems.isEmpty)
    #expect(try file.policy(for: vm("win11")).value == Policy())
  }

  @Test func shipsASampleThatIsRightWhenItIsUsed() throws {
    let file = PolicyFile(Self.uncommented, named: "berth.toml")
    #expect(file.problems.map(\.description) == [])
    let policy = try file.policy(for: vm("win11")).value
    #expect(policy.isolation == .partition)
    #expect(policy.pins.vcpus == [0: [4], 1: [5], 2: [6], 3: [7]])
    for key in PolicyKey.all {
      let name = key.table.map { key.path.dropFirst($0.count + 1) } ?? key.path[...]
      #expect(Self.uncommented.contains("\n\(name) = "), "\(key.path) is not in the sample")
    }
  }

  @Test func documentsEveryKeyWithItsDefault() throws {
    let text = try Self.text("docs/POLICY.md")
    for key in PolicyKey.all {
      #expect(text.contains("| `\(key.path)` | `\(key.standard)` |"), "\(key.path)")
    }
  }
}

private func vm(_ name: String) -> Domain {
  Domain(
    hypervisor: .libvirt, name: name, id: "6f0ff3a1-0a2b-4c3d-8e4f-5a6b7c8d9e0f", vcpus: 4)
}

private func policy(_ text: String) throws -> Policy {
  try PolicyFile(text, named: "f").policy(for: vm("win11")).value
}

private func error(_ file: PolicyFile, _ domain: Domain) -> PolicyError? {
  do throws(PolicyError) {
    _ = try file.policy(for: domain)
    return nil
  } catch {
    return error
  }
}
