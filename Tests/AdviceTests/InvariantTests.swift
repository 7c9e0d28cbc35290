import Advice
import HostModel
import Testing

/// What holds of each candidate on each machine for each wish.
struct InvariantTests {
  @Test(arguments: Machine.all)
  func givesEachVCPUAFreeCPUOfItsOwn(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      let online = machine.topology.onlineCPUs
      let others = situation.tenants.reduce(CPUList()) { $0.union($1.vcpus).union($1.service) }
      for candidate in advised.candidates {
        let cpus = CPUList(candidate.vcpus)
        #expect(candidate.vcpus.count == situation.wish.vcpus, "\(situation)")
        #expect(cpus.count == situation.wish.vcpus, "\(situation)")
        #expect(cpus.isSubset(of: online), "\(situation)")
        // No core of the domain's has a thread that another one is pinned to.
        let cores = candidate.cores.reduce(CPUList()) { $0.union($1) }
        #expect(cpus.isSubset(of: cores) && cores.isDisjoint(with: others), "\(situation)")
        #expect(cpus.isDisjoint(with: candidate.emulator), "\(situation)")
        #expect(!candidate.emulator.isEmpty && candidate.emulator.isSubset(of: online))
        #expect(candidate.iothreads.map(\.id) == situation.wish.iothreadIDs)
      }
    }
  }

  @Test(arguments: Machine.all)
  func leavesTheHostACore(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        let left = machine.topology.cores.filter { core in
          core.isDisjoint(with: CPUList(candidate.vcpus))
            && situation.tenants.allSatisfy { core.isDisjoint(with: $0.vcpus) }
        }
        #expect(!left.isEmpty, "\(situation)")
        #expect(candidate.housekeeping.isDisjoint(with: CPUList(candidate.vcpus)))
        #expect(!candidate.housekeeping.isEmpty, "\(situation)")
      }
    }
  }

  @Test(arguments: Machine.all)
  func takesNoMoreMemoryThanThereIs(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        let sum = candidate.cells.reduce(0) { $0 + $1.memoryKiB }
        #expect(sum == situation.wish.memoryKiB, "\(situation)")
        for node in machine.topology.nodes where node.memoryKiB > 0 {
          let cells = candidate.cells.filter { $0.memoryNode == node.id }
          let need = cells.reduce(0) { $0 + $1.memoryKiB }
          #expect(need <= node.freeKiB + node.reclaimableKiB, "\(situation)")
          guard let pageKiB = candidate.pageKiB, need > 0 else { continue }
          #expect(node.pools.contains { $0.pageKiB == pageKiB }, "\(situation)")
          #expect(cells.allSatisfy { $0.memoryKiB % pageKiB == 0 }, "\(situation)")
        }
      }
    }
  }

  @Test(arguments: Machine.all)
  func tellsTheGuestWhatTheHostIs(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        let shape = candidate.shape
        #expect(
          shape.sockets * shape.dies * shape.cores * shape.threads == situation.wish.vcpus,
          "\(situation)")
        // The vCPUs of a core of the guest are on one core of the host, and nobody else is.
        for first in stride(from: 0, to: candidate.vcpus.count, by: shape.threads) {
          let group = CPUList(candidate.vcpus[first..<(first + shape.threads)])
          let core = candidate.cores.first { !$0.isDisjoint(with: group) } ?? []
          #expect(group.isSubset(of: core), "\(situation)")
          guard shape.threads > 1 else { continue }
          #expect(core.intersection(CPUList(candidate.vcpus)) == group, "\(situation)")
        }
        // The cells have each vCPU once, on CPUs of their nodes.
        let vcpus = candidate.cells.map(\.vcpus)
        #expect(vcpus.reduce(0) { $0 + $1.count } == situation.wish.vcpus)
        #expect(vcpus.reduce(CPUList()) { $0.union($1) }.count == situation.wish.vcpus)
        for cell in candidate.cells {
          let home = machine.topology.nodes.first { $0.id == cell.node }?.cpus ?? []
          #expect(CPUList(cell.vcpus.map { candidate.vcpus[$0] }).isSubset(of: home))
        }
        #expect(Set(candidate.nodes).count == candidate.cells.count)
      }
    }
  }

  @Test(arguments: Machine.all)
  func mixesNoKindsOfCores(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        let kinds = Set(
          candidate.vcpus.map { cpu in
            machine.topology.cpus.first { $0.id == cpu }?.kind
          })
        #expect(kinds == [candidate.kind], "\(situation)")
      }
    }
  }

  @Test(arguments: Machine.all)
  func ordersThemByScoreAndAlwaysTheSameWay(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let (situation, advice) = (advised.situation, advised.advice)
      let scores = advice.candidates.map(\.score)
      #expect(scores == scores.sorted(), "\(situation)")
      #expect(advice.candidates.count <= Advice.limit)
      #expect(advice.candidates.isEmpty == !advice.shortages.isEmpty, "\(situation)")
      let again = Advice(for: situation.wish, on: situation.premises)
      #expect(advice.candidates == again.candidates, "\(situation)")
      // Each is what the same CPUs are judged to be.
      let assessor = Assessor(situation.wish, on: situation.premises)
      for candidate in advice.candidates {
        #expect(assessor.candidate(on: candidate.vcpus) == candidate, "\(situation)")
      }
    }
  }

  /// Two domains that take the first candidate one after the other.
  @Test(arguments: Machine.all)
  func givesTwoDomainsNoCoreInCommon(machine: Machine) throws {
    let first = Wish(vcpus: 2, memoryKiB: 2 << 20, goal: .latency)
    let one = try #require(
      Advice(for: first, on: Premises(machine.topology, tenants: [])).candidates.first)
    let tenant = Tenant(name: "one", vcpus: CPUList(one.vcpus), service: one.emulator)
    for goal in Goal.allCases {
      let second = Wish(vcpus: 3, memoryKiB: 2 << 20, goal: goal)
      for two in Advice(for: second, on: Premises(machine.topology, tenants: [tenant])).candidates {
        let taken = one.cores.reduce(CPUList()) { $0.union($1) }
        let cores = two.cores.reduce(CPUList()) { $0.union($1) }
        #expect(cores.isDisjoint(with: taken))
        #expect(cores.isDisjoint(with: one.emulator))
      }
    }
  }
}
