import HostModel
import Ledger
import Testing

/// What a task was given counts, not what a partition leaves of it for the time being.
struct ConfinementTests {
  private let task = Sample.task
  private let change = Change(
    Sample.task, .withoutCPUs([2], all: Sample.everyCPU), because: "kernel threads")

  @Test func aTaskThatAPartitionConfinesMeanwhileIsNobodyElses() throws {
    let world = World([task: .cpus(Sample.everyCPU)])
    try world.enter(Visitor("a", [change]))
    #expect(world.values[task] == .cpus([0, 1, 3]))
    // Another domain has CPU 3 to itself now.
    world.confinements[task] = [0, 1, 2]
    world.values[task] = .cpus([0, 1])
    #expect(try world.recover() == Outcome())
    #expect(world.writes.count == 1)
    let outcome = try world.leave(Visitor("a", []))
    #expect(outcome == Outcome() && world.saved == Ledger())
    #expect(world.writes.last?.value == .cpus(Sample.everyCPU))
  }

  @Test func whatIsConfinedAsItIsWrittenIsWritten() throws {
    let world = World([task: .cpus(Sample.everyCPU)])
    world.confinements[task] = [0, 1, 2]
    world.normalizations[task] = { value in
      if case .cpus(let cpus) = value { .cpus(cpus.intersection([0, 1, 2])) } else { value }
    }
    #expect(try world.enter(Visitor("a", [change])) == Outcome())
    #expect(world.values[task] == .cpus([0, 1]))
  }

  @Test func otherCPUsAreSomebodyElsesAllTheSame() throws {
    let world = World([task: .cpus(Sample.everyCPU)])
    try world.enter(Visitor("a", [change]))
    world.confinements[task] = [0, 1, 2]
    world.values[task] = .cpus([1])
    #expect(try world.leave(Visitor("a", [])).drifts.count == 1)
    #expect(world.values[task] == .cpus([1]))
  }
}
