import Bytes
import Formats
import HostModel
internal import Recorded
import Support
import Testing

/// Sysctls and attributes of the recorded host, from the policy file to the host and back.
struct KernelSettingsLifeTests {
  private static let host = """
    proc/sys/kernel/watchdog_cpumask\t0-15
    sys/kernel/mm/ksm/run\t1
    sys/kernel/mm/transparent_hugepage/enabled\talways [madvise] never
    sys/module/kvm/parameters/halt_poll_ns\t200000
    sys/module/kvm/parameters/ignore_msrs\tN
    sys/devices/system/cpu/cpu5/node1 -> ../../node/node1

    """

  private func wish(
    _ text: String, _ policy: inout Policy, watchdog: Bool = true
  ) throws {
    let domain = RecordedLife.domain()
    let file = PolicyFile("[defaults]\nisolation = \"none\"\n\(text)", named: "f")
    #expect(file.problems.map(\.description) == [])
    policy = try file.policy(for: domain).value
    policy.cpu.hasWatchdog = watchdog
  }

  @Test func everythingIsSetAndGivenBack() throws {
    let life = try RecordedLife(Self.host)
    var policy = Policy()
    try wish(
      """
      settings.vm.stat_interval = 10
      settings."kernel.numa_balancing" = false
      settings."/sys/kernel/mm/ksm/run" = 0
      settings."/sys/kernel/mm/transparent_hugepage/enabled" = "never"
      settings."/sys/module/kvm/parameters/halt_poll_ns" = 0
      settings."/sys/module/kvm/parameters/ignore_msrs" = true
      """, &policy, watchdog: false)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    #expect(
      try life.difference(below: "/sys", "/proc") == [
        "/proc/sys/kernel/numa_balancing: 1 is 0",
        "/proc/sys/kernel/watchdog_cpumask: 0-15 is 0-4,6-12,14-15",
        "/proc/sys/vm/stat_interval: 1 is 10",
        "/sys/kernel/mm/ksm/run: 1 is 0",
        "/sys/kernel/mm/transparent_hugepage/enabled: always [madvise] never is always madvise "
          + "[never]",
        "/sys/module/kvm/parameters/halt_poll_ns: 200000 is 0",
        "/sys/module/kvm/parameters/ignore_msrs: N is Y",
      ])
    for phase in [Phase.start, .started, .reconnect, .stopped, .release] {
      #expect(try life.play(phase) { $0 = policy } == [])
    }
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  /// What reads before, what policy wants, and what has changed while the domain is in.
  @Test(
    arguments: [
      (
        [:], ["vm.dirty_bytes": 268_435_456],
        ["vm/dirty_bytes: 0 is 268435456", "vm/dirty_ratio: 20 is 0"]
      ),
      (
        ["vm/dirty_bytes": "1048576", "vm/dirty_ratio": "0"], ["vm.dirty_ratio": 5],
        ["vm/dirty_bytes: 1048576 is 0", "vm/dirty_ratio: 0 is 5"]
      ),
      (["vm/dirty_ratio": "0"], ["vm.dirty_ratio": 5], ["vm/dirty_ratio: 0 is 5"]),
      (
        [:], ["vm.dirty_background_bytes": 4096, "vm.dirty_bytes": 8192],
        [
          "vm/dirty_background_bytes: 0 is 4096", "vm/dirty_background_ratio: 10 is 0",
          "vm/dirty_bytes: 0 is 8192", "vm/dirty_ratio: 20 is 0",
        ]
      ),
      (
        [:], ["vm.overcommit_kbytes": 1024],
        ["vm/overcommit_kbytes: 0 is 1024", "vm/overcommit_ratio: 50 is 0"]
      ),
      (
        ["vm/overcommit_ratio": "0"], ["vm.overcommit_ratio": 80],
        ["vm/overcommit_ratio: 0 is 80"]
      ),
      (
        [:], ["kernel.watchdog": 0],
        [
          "kernel/nmi_watchdog: 1 is 0", "kernel/soft_watchdog: 1 is 0", "kernel/watchdog: 1 is 0",
        ]
      ),
      (
        ["kernel/nmi_watchdog": "0"], ["kernel.watchdog": 0, "kernel.nmi_watchdog": 0],
        ["kernel/soft_watchdog: 1 is 0", "kernel/watchdog: 1 is 0"]
      ),
      ([:], ["kernel.nmi_watchdog": 0], ["kernel/nmi_watchdog: 1 is 0"]),
    ] as [([String: String], [String: Int], [String])])
  func whatTheKernelChangesTogetherComesBackTogether(
    reads: [String: String], wishes: [String: Int], changes: [String]
  ) throws {
    let own = reads.map { "proc/sys/\($0.key)\t\($0.value)\n" }.joined()
    let life = try RecordedLife(Self.host + Coupled.lines + own)
    var policy = Policy()
    let lines = wishes.map { "settings.\"\($0.key)\" = \($0.value)" }
    try wish(lines.joined(separator: "\n"), &policy)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    #expect(try life.difference(below: "/proc/sys") == changes.map { "/proc/sys/\($0)" })
    #expect(try life.play(.release) == [])
    #expect(try life.difference(below: "/proc/sys") == [])
  }

  @Test func whatAPersonSetsMeanwhileStays() throws {
    let life = try RecordedLife(Self.host + Coupled.lines)
    var policy = Policy()
    try wish("settings.\"vm.dirty_bytes\" = 8192", &policy)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    try life.host.kernel.write("7", to: "/proc/sys/vm/dirty_ratio")
    #expect(try life.play(.release).count == 1)
    #expect(try life.difference(below: "/proc/sys") == ["/proc/sys/vm/dirty_ratio: 20 is 7"])
  }

  @Test func twoDomainsShareTheLongerPauseAndDisputeOtherValues() throws {
    let life = try RecordedLife(Self.host)
    let domains = [RecordedLife.domain("a", on: [5]), RecordedLife.domain("b", on: [6])]
    let texts = [
      "settings = { vm.stat_interval = 10, kernel.numa_balancing = 0 }",
      "settings = { vm.stat_interval = 60, kernel.numa_balancing = 2 }",
    ]
    var warnings: [String] = []
    for (domain, text) in zip(domains, texts) {
      var policy = Policy()
      try wish(text, &policy)
      warnings += try life.play(.prepare, domain) { $0 = policy }
    }
    #expect(warnings.count == 1 && warnings[0].hasPrefix("b does without: /proc/sys/kernel/numa_"))
    #expect(try life.word("/proc/sys/vm/stat_interval") == "60")
    #expect(try life.play(.release, domains[1]) == [])
    #expect(try life.word("/proc/sys/vm/stat_interval") == "10")
    #expect(try life.play(.release, domains[0]) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func aValueThatTheKernelRefusesIsDoneWithout() throws {
    let life = try RecordedLife(
      Self.host + "recorded/limits\t/proc/sys/kernel/numa_balancing refuses 22\n")
    var policy = Policy()
    try wish("settings = { kernel.numa_balancing = 9, vm.stat_interval = 5 }", &policy)
    let warnings = try life.play(.prepare) { $0 = policy }
    #expect(warnings.count == 1 && warnings[0].contains("EINVAL"))
    #expect(try life.play(.release) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func nothingIsWrittenThroughALinkThatLeadsElsewhere() throws {
    let life = try RecordedLife(Self.host)
    var policy = Policy()
    try wish("settings.\"/sys/devices/system/cpu/cpu5/node1/compact\" = 1", &policy)
    let warnings = try life.play(.prepare) { $0 = policy }
    #expect(warnings.count == 1 && warnings[0].contains("it leads to /sys/devices/system/node/"))
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test(arguments: [
    ("/sys/kernel/mm/ksm/run", "3", Int32(22)), ("/sys/kernel/mm/ksm/run", "2", 0),
    ("/sys/kernel/mm/transparent_hugepage/enabled", "yes", 22),
    ("/sys/module/kvm/parameters/ignore_msrs", "maybe", 22),
    ("/sys/module/kvm/parameters/ignore_msrs", "y", 0),
  ])
  func theRecordedKernelKnowsItsWords(path: String, text: String, number: Int32) throws {
    let host = try Workstation()
    try host.add(Self.host)
    do throws(HostError) {
      try host.kernel.write(text, to: HostPath(foreign: path))
      #expect(number == 0)
    } catch {
      #expect(error.errno == number)
    }
  }
}
