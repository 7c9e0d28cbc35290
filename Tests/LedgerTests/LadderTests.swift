import HostModel
import Ledger
import Testing

/// Several ways to one goal: the first that the host grants stands, and nothing is left of the others.
struct LadderTests {
  private static let emulator = Setting.cpuset(group: "vm/emulator")
  private static let exclusive = Setting.attribute(
    path: "/sys/fs/cgroup/vm/cpuset.cpus.exclusive", .cpuList)
  private static let partition = Setting.attribute(
    path: "/sys/fs/cgroup/vm/vcpu0/cpuset.cpus.partition", .text)
  private static let whole = Setting.attribute(
    path: "/sys/fs/cgroup/vm/cpuset.cpus.partition", .text)
  private static let slice = Sample.slice
  private static let user = Setting.allowedCPUs(unit: "user.slice")
  private static let holder = Holder(
    id: HolderID(hypervisor: .libvirt, id: "deck"), name: "deck", vcpuCPUs: [1])

  private static let before: [Setting: Value] = [
    emulator: .cpus([1, 2]), exclusive: .cpus([]), partition: .text("member"),
    whole: .text("member"), slice: .allowedCPUs(AllowedCPUs(cpus: [], hasRuntimeDropIn: false)),
    user: .allowedCPUs(AllowedCPUs(cpus: [], hasRuntimeDropIn: false)),
    Sample.task: .cpus([2, 3]),
  ]

  private func world() -> World { World(Self.before) }

  private var ladder: Ladder {
    var ladder = Ladder("isolation", ground: "pins alone")
    ladder.rungs = [
      Rung(
        "vCPU partitions",
        [
          Change(
            Self.emulator, .withoutCPUs([1], all: Sample.everyCPU), because: "it leaves"),
          Change(Self.exclusive, .withCPUs([1]), because: "it is named"),
          Change(Self.partition, .exactly(.text("isolated")), because: "it is alone"),
        ]),
      Rung(
        "VM partition",
        [
          Change(Self.exclusive, .withCPUs([1, 2]), because: "it is named"),
          Change(Self.whole, .exactly(.text("root")), because: "it is alone"),
        ]),
      Rung(
        "slices",
        [Self.slice, Self.user].map {
          Change($0, .withoutCPUs([1], all: Sample.everyCPU), because: "others leave")
        }, isPartial: true),
    ]
    return ladder
  }

  private func plan(_ ladder: Ladder? = nil) -> Plan {
    var plan = Plan(phase: .started)
    plan.append(ladder ?? self.ladder)
    plan.changes.append(Change(Sample.task, .keep, because: "isolation"))
    return plan
  }

  /// Refuses as the kernel does: the write succeeds, and the file tells what came of it.
  private func refuse(_ settings: Setting..., on world: World) {
    for setting in settings {
      world.normalizations[setting] = { value in
        guard case .text(let word) = value, word != "member" else { return value }
        return .text("\(word) invalid (Cpu list in cpuset.cpus not exclusive)")
      }
    }
  }

  @discardableResult
  private func enter(_ world: World, _ plan: Plan? = nil) throws -> Outcome {
    let plan = plan ?? self.plan()
    return try world.engine.apply(for: Self.holder, until: World.forever) { _, _ in plan }
  }

  private func leave(_ world: World) throws -> Outcome {
    try world.engine.release(until: World.forever) { $0.id == Self.holder.id }
  }

  private func attained(_ world: World) -> Attainment? {
    world.saved.holder(Self.holder.id)?.attained.first
  }

  @Test func theBestWayStandsWithoutAWordAndWithoutAnotherSave() throws {
    let world = world()
    let outcome = try enter(world)
    #expect(outcome == Outcome())
    #expect(attained(world) == Attainment("isolation", rung: "vCPU partitions"))
    #expect(world.values[Self.emulator] == .cpus([2]))
    #expect(world.values[Self.slice] == Self.before[Self.slice])
    let plain = World(Self.before)
    var changes = plan()
    changes.ladders = []
    try enter(plain, changes)
    #expect(plain.effects.count == world.effects.count)
    #expect(try leave(world) == Outcome())
    #expect(world.values == Self.before && world.saved.isEmpty)
  }

  @Test func whatTheHostRefusesIsLeftForTheNextWayInTheSamePhase() throws {
    let world = world()
    refuse(Self.partition, on: world)
    let outcome = try enter(world)
    #expect(attained(world)?.rung == "VM partition")
    #expect(attained(world)?.misses.map(\.name) == ["vCPU partitions"])
    #expect(attained(world)?.misses.first?.reason.contains("not exclusive") == true)
    #expect(outcome.failures == [] && outcome.isToBeContinued)
    #expect(outcome.warnings.last == "isolation of deck ends at: VM partition")
    #expect(world.values[Self.whole] == .text("root"))
    #expect(world.values[Self.exclusive] == .cpus([1, 2]))
    #expect(world.values[Self.emulator] == .cpus([1, 2]))
    #expect(world.values[Self.partition] == .text("member"))
    #expect(try leave(world).failures == [])
    #expect(world.values == Self.before)
  }

  @Test func theLastWayIsOfUseWhereOnlyAPartOfItStands() throws {
    let world = world()
    refuse(Self.partition, Self.whole, on: world)
    world.refusals[Self.user] = 16
    let outcome = try enter(world)
    #expect(attained(world)?.rung == "slices")
    #expect(attained(world)?.misses.map(\.name) == ["vCPU partitions", "VM partition"])
    #expect(outcome.warnings.contains { $0.contains("is incomplete: ") })
    #expect(outcome.failures == [])
    #expect(world.values[Self.slice] != Self.before[Self.slice])
    #expect(world.values[Self.user] == Self.before[Self.user])
    _ = try leave(world)
    #expect(world.values == Self.before)
  }

  @Test func whereNoWayStandsNothingIsLeftOfThemButTheWord() throws {
    let world = world()
    refuse(Self.partition, Self.whole, on: world)
    world.refusals = [Self.user: 16, Self.slice: 16]
    let outcome = try enter(world)
    #expect(attained(world)?.rung == nil && attained(world)?.misses.count == 3)
    #expect(outcome.warnings.last == "isolation of deck ends at: pins alone")
    #expect(outcome.failures == [])
    #expect(world.values == Self.before)
    #expect(world.saved.entries.map(\.setting) == [Sample.task])
  }

  @Test func aPlaceThatComesWithAnotherOneIsWaitedFor() throws {
    let world = world()
    let controller = Setting.allowedCPUs(unit: "qemu.slice/100.scope")
    world.values[controller] = .allowedCPUs(AllowedCPUs(cpus: [], hasRuntimeDropIn: false))
    world.values[Self.whole] = nil
    world.normalizations[controller] = { [unowned world] value in
      world.values[Self.whole] = .text("member")
      return value
    }
    var ladder = ladder
    let allowed = AllowedCPUs(cpus: [1, 2], hasRuntimeDropIn: true)
    ladder.rungs = [
      Rung(
        "VM partition",
        [
          Change(controller, .exactly(.allowedCPUs(allowed)), because: "it is named"),
          Change(Self.whole, .exactly(.text("root")), because: "it is alone"),
        ])
    ]
    #expect(try enter(world, plan(ladder)) == Outcome())
    #expect(world.values[Self.whole] == .text("root"))
    #expect(attained(world)?.rung == "VM partition")
  }

  @Test func aBetterWayThatStandsLaterEndsTheOther() throws {
    let world = world()
    refuse(Self.partition, Self.whole, on: world)
    try enter(world)
    #expect(attained(world)?.rung == "slices")
    world.normalizations = [:]
    try enter(world)
    #expect(attained(world) == Attainment("isolation", rung: "vCPU partitions"))
    #expect(world.values[Self.slice] == Self.before[Self.slice])
    _ = try leave(world)
    #expect(world.values == Self.before)
  }

  @Test func whatSomebodyElseHasPutBackIsLeftAndNoReasonForALesserWay() throws {
    let world = world()
    try enter(world)
    world.values[Self.partition] = .text("member")
    let outcome = try enter(world)
    #expect(outcome.drifts.count == 1 && !outcome.isToBeContinued)
    #expect(attained(world) == Attainment("isolation", rung: "vCPU partitions"))
    #expect(world.values[Self.partition] == .text("member"))
    #expect(world.values[Self.slice] == Self.before[Self.slice])
    _ = try leave(world)
    #expect(world.values == Self.before)
  }

  @Test func aWayDownThatIsCutShortAnywhereIsGivenBack() throws {
    let whole = world()
    refuse(Self.partition, Self.whole, on: whole)
    try enter(whole)
    #expect(whole.steps > 40)
    for death in 1...whole.steps {
      let world = world()
      refuse(Self.partition, Self.whole, on: world)
      world.revive(budget: death)
      _ = try? enter(world)
      world.revive()
      #expect(world.wroteUnrecorded.isEmpty)
      _ = try world.recover()
      _ = try leave(world)
      _ = try world.recover()
      #expect(world.values == Self.before, "died after \(death) steps")
      #expect(world.saved.isEmpty, "died after \(death) steps")
    }
  }
}
