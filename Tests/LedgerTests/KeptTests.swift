import HostModel
import Ledger
import Testing

/// What the kernel changes by itself is put back, and what somebody chose is not.
struct KeptTests {
  /// What the kernel gives a task whose cpuset lacks the CPU of the first domain.
  private let rest = Value.cpus([0, 2, 3])

  @Test func aTaskIsLeftToTheKernelWhileADomainIsInAndPutBackAfterwards() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    #expect(world.values[Sample.task] == rest)
    #expect(!world.writes.contains { $0.setting == Sample.task })
    try world.recover()
    #expect(world.values[Sample.task] == rest)
    try world.leave(Sample.alpha)
    #expect(world.values == Sample.host)
  }

  @Test func tasksArePutBackAfterTheConfinementThatMovesThem() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    try world.leave(Sample.alpha)
    let order = world.writes.map(\.setting)
    let slice = try #require(order.lastIndex(of: Sample.slice))
    let task = try #require(order.lastIndex(of: Sample.task))
    #expect(slice < task)
  }

  @Test(arguments: [CPUList([0]), [1, 2]])
  func otherCPUsAreSomebodysDecision(cpus: CPUList) throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    try world.leave(Sample.alpha)
    var expected = Sample.host
    try world.enter(Visitor("solo", [Change(Sample.task, .keep, because: "test")]))
    world.values[Sample.task] = .cpus(cpus)
    let outcome = try world.leave(Visitor("solo", []))
    expected[Sample.task] = .cpus(cpus)
    #expect(outcome.drifts.count == 1 && world.values == expected && world.saved == Ledger())
  }

  @Test func whatADomainPinnedStaysPinnedWhenAnotherMovesItsTasks() throws {
    let world = World(Sample.host)
    let pin = Change(Sample.task, .exactly(.cpus([3])), because: "pinning")
    let confinement = Change(
      Sample.slice, .withoutCPUs([1], all: Sample.everyCPU), because: "isolation")
    try world.enter(Visitor("pinned", [pin]))
    try world.enter(Visitor("mover", [confinement]))
    #expect(world.values[Sample.task] == .cpus([3]))
    try world.leave(Visitor("mover", []))
    #expect(world.values[Sample.task] == .cpus([3]))
    try world.leave(Visitor("pinned", []))
    #expect(world.values == Sample.host && world.saved == Ledger())
  }

  @Test func aTaskThatEndedIsForgotten() throws {
    let world = World(Sample.host)
    try world.enter(Sample.alpha)
    world.values[Sample.task] = nil
    try world.leave(Sample.alpha)
    var expected = Sample.host
    expected[Sample.task] = nil
    #expect(world.values == expected && world.saved == Ledger())
  }
}
