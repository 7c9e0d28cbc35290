import HostModel
import Ledger
import Testing

/// What the kernel does to a setting by itself is repaired, and what somebody does is left alone.
struct KernelChangeTests {
  /// A setting that one VM claims, with what may stand there afterwards.
  struct Case: Sendable, CustomTestStringConvertible {
    var setting: Setting
    var original: Value
    var claim: Claim
    var standing: Value
    var online = Sample.everyCPU
    var hasSlept = false
    var author: Author

    var testDescription: String { "\(setting) reads \(standing)" }
  }

  private static let partition = Setting.attribute(
    path: "/sys/fs/cgroup/a.scope/vcpu0/cpuset.cpus.partition", .text)
  private static let exclusive = Setting.attribute(
    path: "/sys/fs/cgroup/a.scope/cpuset.cpus.exclusive", .cpuList)
  private static let thread = Setting.affinity(
    HostThread(pid: 9, tid: 9, startTime: 1, role: .vcpu(0)))
  private static let preference = Setting.attribute(
    path: "/sys/devices/system/cpu/cpufreq/policy3/energy_performance_preference", .text)
  private static let offline = " invalid (No cpu available due to hotplug)"

  private static func isolated(_ standing: String, _ author: Author) -> Case {
    Case(
      setting: partition, original: .text("member"), claim: .exactly(.text("isolated")),
      standing: .text(standing), author: author)
  }

  private static func pinned(_ standing: CPUList, online: CPUList, _ author: Author) -> Case {
    Case(
      setting: thread, original: .cpus(Sample.everyCPU), claim: .exactly(.cpus([3])),
      standing: .cpus(standing), online: online, author: author)
  }

  /// An interrupt that policy sends to CPUs 1 and 2.
  private static func sent(_ standing: CPUList, online: CPUList, _ author: Author) -> Case {
    Case(
      setting: Sample.irq, original: .cpus([0]), claim: .exactly(.cpus([1, 2])),
      standing: .cpus(standing), online: online, author: author)
  }

  /// The same with CPUs 4 and 5 of a host that sleeps at times.
  private static func sentAsleep(
    _ standing: CPUList, hasSlept: Bool = true, _ author: Author
  ) -> Case {
    Case(
      setting: Sample.irq, original: .cpus(CPUList(0...7)), claim: .exactly(.cpus([4, 5])),
      standing: .cpus(standing), online: CPUList(0...7), hasSlept: hasSlept, author: author)
  }

  static let cases = [
    isolated("isolated\(offline)", .kernel),
    isolated("isolated invalid (Invalid cpu list in cpuset.cpus.exclusive)", .kernel),
    isolated("root\(offline)", .somebody), isolated("root", .somebody),
    isolated("member", .somebody),
    // While its CPU is offline a thread may be anywhere; when it is back, only where it was put or
    // wherever it may.
    pinned([0, 1, 2], online: [0, 1, 2], .kernel), pinned([0], online: [0, 1, 2], .kernel),
    pinned([1, 3], online: Sample.everyCPU, .kernel),
    pinned([0, 1, 2], online: Sample.everyCPU, .somebody),
    // All that was online when the last of its CPUs went.
    sent([0, 3], online: [0, 3], .kernel), sent([0, 3], online: Sample.everyCPU, .kernel),
    sent([0, 3], online: [0, 1, 3], .kernel), sent([3], online: Sample.everyCPU, .somebody),
    sent([1], online: Sample.everyCPU, .somebody), sent([0, 1], online: [0, 1], .somebody),
    sent([0, 3], online: CPUList(0...4), .somebody),
    // Asleep, the others go before or after those of the mask.
    sentAsleep([0, 1, 2, 3], .kernel), sentAsleep([0, 6, 7], .kernel),
    sentAsleep([0, 1, 2, 3], hasSlept: false, .somebody),
    sentAsleep([0, 6, 7], hasSlept: false, .somebody),
    sentAsleep([0, 1, 2], .somebody), sentAsleep([0], .somebody), sentAsleep([6, 7], .somebody),
    sentAsleep([0, 1, 2, 3, 6, 7], hasSlept: false, .kernel),
    // What the kernel never puts back, somebody has.
    Case(
      setting: preference, original: .text("balance_power"),
      claim: .exactly(.text("performance")), standing: .text("balance_power"), author: .somebody),
    Case(
      setting: exclusive, original: .cpus([]), claim: .withCPUs([3]), standing: .cpus([]),
      author: .somebody),
    Case(
      setting: Sample.slice, original: Sample.host[Sample.slice] ?? .count(0),
      claim: .withoutCPUs([3], all: Sample.everyCPU),
      standing: Sample.host[Sample.slice] ?? .count(0), author: .somebody),
    Case(
      setting: Crowd.poller, original: .scheduler(.standard),
      claim: .exactly(.scheduler(.fifo(priority: 1))), standing: .scheduler(.standard),
      author: .somebody),
    // An interrupt that is requested anew has what its driver wants.
    Case(
      setting: Sample.irq, original: .cpus([2]), claim: .withoutCPUs([2], all: [0, 1]),
      standing: .cpus([2]), author: .berth),
    // A function that has its own driver again has left its VM.
    Case(
      setting: Sample.card, original: Sample.host[Sample.card] ?? .count(0),
      claim: .alone(Sample.vfio), standing: Sample.host[Sample.card] ?? .count(0), author: .somebody
    ),
  ]

  private func enter(_ example: Case) throws -> (World, Visitor) {
    let world = World([example.setting: example.original])
    let visitor = Visitor("a", [Change(example.setting, example.claim, because: "test")])
    #expect(try world.enter(visitor) == Outcome())
    world.online = example.online
    world.hasSleptBefore = example.hasSlept
    world.values[example.setting] = example.standing
    return (world, visitor)
  }

  @Test(arguments: cases)
  func whileItIsClaimedTheKernelsValueIsRepairedAndAnyOtherIsLeftAlone(example: Case) throws {
    let (world, _) = try enter(example)
    let entry = try #require(world.saved.entries.first)
    let wanted = entry.written
    #expect(try entry.author(of: example.standing, on: world) == example.author)
    for _ in 1...2 {
      let outcome = try world.recover()
      let isForeign = example.author == .somebody
      #expect(outcome.failures.isEmpty && outcome.drifts.count == (isForeign ? 1 : 0))
      #expect(world.values[example.setting] == (isForeign ? example.standing : wanted))
    }
  }

  @Test(arguments: cases)
  func theOriginalIsGivenBackFromTheKernelsValueAndFromNoOther(example: Case) throws {
    let (world, visitor) = try enter(example)
    let isForeign = example.author == .somebody && example.standing != example.original
    let outcome = try world.leave(visitor)
    #expect(outcome.failures.isEmpty && outcome.drifts.count == (isForeign ? 1 : 0))
    #expect(world.values[example.setting] == (isForeign ? example.standing : example.original))
    #expect(world.saved == Ledger())
  }

  @Test func aPartitionIsTriedAgainOnceItsCPUIsBack() throws {
    let world = World([Self.partition: .text("member")])
    let change = Change(Self.partition, .exactly(.text("isolated")), because: "test")
    let visitor = Visitor("a", [change])
    try world.enter(visitor)
    let invalid = Value.text("isolated\(Self.offline)")
    world.values[Self.partition] = invalid
    world.normalizations[Self.partition] = { $0 == .text("isolated") ? invalid : $0 }
    #expect(try world.recover().failures.count == 1)
    #expect(try world.recover().failures.count == 1)
    world.normalizations = [:]
    #expect(try world.recover() == Outcome())
    #expect(world.values[Self.partition] == .text("isolated"))
    world.values[Self.partition] = .text("member")
    #expect(try world.recover().drifts.count == 1)
    #expect(world.values[Self.partition] == .text("member"))
  }

  @Test func anOriginalThatAWriteHasLeftThereIsBerthsOwn() throws {
    let world = World(Sample.host)
    world.refusals[Sample.latency] = Refusal(errno: 16, times: 1)
    let change = Change(Sample.latency, .exactly(.text("10")), because: "test")
    let visitor = Visitor("a", [change])
    let refused = try world.enter(visitor)
    #expect(refused.warnings.count == 1 && world.values[Sample.latency] == .text("1"))
    #expect(try world.enter(visitor) == Outcome())
    #expect(world.values[Sample.latency] == .text("10"))
  }

  /// The original is what both come to together: then it is what Berth left there.
  @Test func anOriginalThatWasWantedMeanwhileIsBerthsOwn() throws {
    let setting = Setting.attribute(path: "/proc/irq-like", .cpuList)
    let world = World([setting: .cpus([0, 1])])
    let first = Visitor("a", [Change(setting, .withCPUs([2]), because: "test")])
    let second = Visitor("b", [Change(setting, .withoutCPUs([2], all: []), because: "test")])
    try world.enter(first)
    #expect(world.values[setting] == .cpus([0, 1, 2]))
    try world.enter(second)
    try world.leave(first)
    #expect(world.values[setting] == .cpus([0, 1]))
    #expect(try world.enter(first) == Outcome())
    try world.leave(second)
    #expect(world.values[setting] == .cpus([0, 1, 2]))
    try world.leave(first)
    #expect(world.values[setting] == .cpus([0, 1]) && world.saved == Ledger())
  }

  @Test func whatSomebodyHasPutBackIsTakenAgainByTheNextVMAfterThat() throws {
    let world = World([Self.preference: .text("power")])
    let change = Change(Self.preference, .exactly(.text("performance")), because: "test")
    let first = Visitor("a", [change])
    let second = Visitor("b", [change])
    try world.enter(first)
    world.values[Self.preference] = .text("power")
    #expect(try world.enter(second).drifts.count == 1)
    #expect(world.values[Self.preference] == .text("power"))
    try world.leave(first)
    try world.leave(second)
    #expect(world.saved == Ledger())
    #expect(try world.enter(first) == Outcome())
    #expect(world.values[Self.preference] == .text("performance"))
  }
}
