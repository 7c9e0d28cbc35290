import HostModel
import Testing

@testable import Advice

/// What is chosen on machines that people have.
struct PlacementTests {
  private func best(
    _ machine: Machine, vcpus: Int, gibibytes: Int = 8, for goal: Goal = .latency, node: Int? = nil,
    tenants: [Tenant] = []
  ) throws -> Candidate {
    var wish = Wish(vcpus: vcpus, memoryKiB: gibibytes << 20, goal: goal)
    if let node { wish.functions = [Machine.display(on: node)] }
    let premises = Premises(machine.topology, tenants: tenants)
    return try #require(Advice(for: wish, on: premises).candidates.first)
  }

  @Test func hasTheRecordedHosts() throws {
    #expect(try !RecordedMachines.result.get().isEmpty)
  }

  @Test func goesToTheNodeOfTheDevice() throws {
    #expect(try best(.intelServer, vcpus: 8, node: 0).nodes == [0])
    #expect(try best(.intelServer, vcpus: 8, node: 1).nodes == [1])
    // Away from the host's own core, where nothing else counts.
    #expect(try best(.intelServer, vcpus: 8).nodes == [1])
  }

  @Test func takesWholeCoresAndTellsTheGuest() throws {
    let candidate = try best(.intelServer, vcpus: 6, node: 0)
    #expect(candidate.vcpus == [5, 21, 6, 22, 7, 23])
    #expect(candidate.shape == GuestShape(sockets: 1, dies: 1, cores: 3, threads: 2))
    #expect(candidate.emulator == [4, 20])
    #expect(candidate.cells.map(\.memoryNode) == [0])
  }

  @Test func leavesTheHostNoThreadThatStaysIdle() throws {
    let latency = try best(.intelServer, vcpus: 1, node: 0)
    let cores = latency.cores.reduce(CPUList()) { $0.union($1) }
    #expect(latency.idle == cores.subtracting(CPUList(latency.vcpus)) && latency.idle.count == 1)
    #expect(latency.housekeeping.isDisjoint(with: cores))
    #expect(latency.costs.contains { $0.reason.contains("idle beside its vCPUs") })
    let throughput = try best(.intelServer, vcpus: 1, for: .throughput, node: 0)
    #expect(throughput.idle.isEmpty)
    #expect(!throughput.housekeeping.isDisjoint(with: CPUList(throughput.cores.flatMap { $0 })))
  }

  @Test func prefersTheLargeCacheForLatency() throws {
    let candidate = try best(.stackedCache, vcpus: 8)
    #expect(candidate.caches.map(\.kiB) == [98304])
    #expect(candidate.nodes == [0])
    // Seven cores are left there for VMs: more spread over both.
    #expect(try best(.stackedCache, vcpus: 14).caches.count == 1)
    #expect(try best(.stackedCache, vcpus: 16).caches.map(\.kiB) == [32768])
    #expect(try best(.stackedCache, vcpus: 18).caches.count == 2)
  }

  @Test func keepsToOneKindOfCores() throws {
    let latency = try best(.hybrid, vcpus: 8)
    #expect(latency.kind == .performance && latency.shape.threads == 2)
    // Seven performance cores are left, of two threads.
    #expect(try best(.hybrid, vcpus: 14).kind == .performance)
    let many = try best(.hybrid, vcpus: 16)
    #expect(many.kind == .efficiency && many.shape.threads == 1)
    #expect(many.vcpus == Array(16...31))
  }

  @Test func spansCachesWhereTheWorkIsWhatCounts() throws {
    // Seven threads of four cores in one cache are nearer to each other than seven cores in two.
    let latency = try best(.amdServer, vcpus: 7, node: 1)
    #expect(latency.caches.count == 1 && latency.hidesSiblings)
    let throughput = try best(.amdServer, vcpus: 20, for: .throughput, node: 1)
    #expect(throughput.caches.count == 3 && throughput.nodes == [1])
    #expect(throughput.shape.threads == 2)
  }

  @Test func dividesOnlyAGuestThatNeedsIt() throws {
    let large = try best(.intelServer, vcpus: 24, gibibytes: 64)
    #expect(large.cells.map(\.vcpus.count) == [12, 12])
    #expect(large.cells.map(\.memoryKiB) == [32 << 20, 32 << 20])
    #expect(large.shape == GuestShape(sockets: 2, dies: 1, cores: 6, threads: 2))
    // The CPUs of one node would do, its memory does not.
    let fat = try best(.intelServer, vcpus: 4, gibibytes: 96)
    #expect(fat.cells.map(\.memoryKiB) == [48 << 20, 48 << 20])
    #expect(fat.cells.map(\.vcpus.count) == [2, 2])
    // As few as possible, and near to each other.
    let huge = try best(.large, vcpus: 128, gibibytes: 256)
    #expect(huge.nodes == [2, 3])
  }

  @Test func dividesUnequallyRatherThanNotAtAll() throws {
    let machine = Machine.intelServer.changed("little memory on node 0") { topology in
      topology.nodes[0].freeKiB = 21 << 20
    }
    let candidate = try best(machine, vcpus: 20, gibibytes: 70)
    #expect(candidate.cells.map(\.memoryKiB) == [20 << 20, 50 << 20])
    #expect(candidate.costs.contains { $0.reason.contains("not as much memory") })
  }

  @Test func readsMemoryFromTheNearestNodeThatHasSome() throws {
    // A device near and memory far is no better than the opposite.
    #expect(try best(.halfFed, vcpus: 8, node: 3).nodes == [2])
    let tenant = Tenant(name: "other", vcpus: [16, 17, 18, 19, 20])
    let candidate = try best(.halfFed, vcpus: 8, node: 3, tenants: [tenant])
    #expect(candidate.nodes == [3] && candidate.cells.map(\.memoryNode) == [2])
    #expect(candidate.costs.contains { $0.reason == "node 3 has no memory; it comes from node 2" })
    #expect(try best(.halfFed, vcpus: 8).nodes == [2])
  }

  @Test func usesNoNodeWithoutCPUs() throws {
    let wish = Wish(vcpus: 4, memoryKiB: 100 << 20, goal: .latency)
    let advice = Advice(for: wish, on: Premises(Machine.expanded.topology, tenants: []))
    #expect(advice.candidates.isEmpty)
    #expect(advice.shortages.contains { $0.hasPrefix("node 1: no CPUs; ") })
  }

  @Test func countsInThreadsOfEightOnPOWER() throws {
    let candidate = try best(.power, vcpus: 16, node: 8)
    #expect(candidate.nodes == [8])
    #expect(candidate.shape == GuestShape(sockets: 1, dies: 1, cores: 2, threads: 8))
    #expect(candidate.pageKiB == 16384)
    let few = try best(.power, vcpus: 4, node: 0)
    #expect(few.cores.count == 1 && few.shape.threads == 4)
  }

  @Test func hasNoThreadsAndNoCachesOnArm() throws {
    let candidate = try best(.arm, vcpus: 16)
    #expect(candidate.shape == GuestShape(sockets: 1, dies: 1, cores: 16, threads: 1))
    #expect(candidate.vcpus == Array(48...63) && candidate.emulator == [47])
    #expect(candidate.pageKiB == 1 << 20 || candidate.pageKiB == 2048)
  }

  @Test func takesWhatWasSetAside() throws {
    let machine = Machine.setAside
    var wish = Wish(vcpus: 4, memoryKiB: 8 << 20, goal: .latency)
    let premises = Premises(machine.topology, tenants: [], setAside: [4, 5, 6, 7])
    let best = try #require(Advice(for: wish, on: premises).candidates.first)
    #expect(best.vcpus == [4, 5, 6, 7] && best.emulator == [3])
    // Isolated for somebody else is not free.
    wish.vcpus = 4
    let others = Advice(for: wish, on: Premises(machine.topology, tenants: []))
    #expect(others.candidates.isEmpty)
    #expect(others.shortages.contains { $0.contains("4-7 are isolated for others") })
  }

  @Test func keepsOffOtherDomainsAndSaysWho() throws {
    let tenant = Tenant(name: "gaming", vcpus: [4, 20, 5, 21, 6, 22, 7], service: [3, 19])
    let candidate = try best(.intelServer, vcpus: 4, node: 0, tenants: [tenant])
    #expect(candidate.vcpus == [1, 17, 2, 18])
    #expect(candidate.emulator == [0, 16])
    #expect(candidate.sharesEmulator)
    let wish = Wish(vcpus: 30, memoryKiB: 8 << 20, goal: .latency)
    let advice = Advice(for: wish, on: Premises(Machine.intelServer.topology, tenants: [tenant]))
    #expect(
      advice.shortages.prefix(2) == [
        "30 vCPUs want 30 free CPUs, and the host has 20",
        "node 0: 4 free CPUs in 2 cores; 0,16 are kept for the host; 3,19 have the emulator of "
          + "“gaming”; 4-7,20-23 have vCPUs of “gaming”; 55 GiB of memory available",
      ])
  }

  @Test func leavesAGoodPlaceAsItIs() throws {
    var wish = Wish(vcpus: 4, memoryKiB: 8 << 20, goal: .latency)
    wish.present = [2, 18, 4, 20]
    let premises = Premises(Machine.intelServer.topology, tenants: [])
    let first = try #require(Advice(for: wish, on: premises).candidates.first)
    // Node 0 is where the host's own work is: another node is better, if by little.
    #expect(first.nodes == [1] && !first.isPresent)
    wish.present = [9, 25, 11, 27]
    let again = try #require(Advice(for: wish, on: premises).candidates.first)
    #expect(again.isPresent && again.vcpus == [9, 25, 11, 27])
  }

  @Test(arguments: [
    // Pages of 1 GiB that lie in the pool; enough memory for them; too little for that; not a
    // multiple; and pages in the way.
    (8 << 20, 8, 0, 1 << 20), (8 << 20, 0, 0, 1 << 20), (20 << 20, 0, 0, 2048),
    (8 << 20 | 2048, 8, 0, 2048), (8 << 20, 0, 512, 2048),
  ])
  func choosesPages(memoryKiB: Int, gibibytes: Int, regular: Int, pageKiB: Int) throws {
    let machine = Machine.desktop.changed("pools") { topology in
      topology.nodes[0].pools = [
        PoolFacts(pageKiB: 2048, total: regular, free: regular, surplus: 0),
        PoolFacts(pageKiB: 1 << 20, total: gibibytes, free: gibibytes, surplus: 0),
      ]
    }
    let wish = Wish(vcpus: 2, memoryKiB: memoryKiB, goal: .latency)
    let premises = Premises(machine.topology, tenants: [])
    #expect(Advice(for: wish, on: premises).candidates.first?.pageKiB == pageKiB)
  }

  @Test func countsTheDomainsOwnMemoryAsFree() throws {
    let machine = Machine.desktop.changed("full") { topology in
      topology.nodes[0].freeKiB = 4 << 20
      topology.nodes[0].pools = [PoolFacts(pageKiB: 2048, total: 8192, free: 0, surplus: 0)]
    }
    let wish = Wish(vcpus: 2, memoryKiB: 16 << 20, goal: .latency)
    #expect(Advice(for: wish, on: Premises(machine.topology, tenants: [])).candidates.isEmpty)
    let own = OwnMemory(node: 0, pageKiB: 2048, memoryKiB: 16 << 20)
    let premises = Premises(machine.topology, tenants: [], ownMemory: [own])
    #expect(Advice(for: wish, on: premises).candidates.first?.pageKiB == 2048)
  }

  @Test func survivesATopologyThatMakesNoSense() {
    var topology = Topology()
    #expect(
      Advice(
        for: Wish(vcpus: 1, memoryKiB: 1 << 20, goal: .latency), on: Premises(topology, tenants: [])
      ).candidates.isEmpty)
    for id in 0..<6 {
      var cpu = TopologyCPU(id: id, isOnline: id != 3)
      cpu.node = id == 5 ? nil : 7
      cpu.siblings = [id, (id + 1) % 6, 4000]
      topology.cpus.append(cpu)
    }
    for goal in Goal.allCases {
      for vcpus in [1, 2, 5, 16384] {
        let wish = Wish(vcpus: vcpus, memoryKiB: 1, goal: goal)
        let advice = Advice(for: wish, on: Premises(topology, tenants: []))
        #expect(advice.candidates.isEmpty != advice.shortages.isEmpty)
      }
    }
  }

  @Test func survivesNumbersThatNoHostHas() {
    let machine = Machine.intelServer.changed("absurd") { topology in
      for index in topology.cpus.indices {
        topology.cpus[index].l3KiB = index % 2 == 0 ? .max : .min
        if index % 8 == 3 { topology.cpus[index].node = .max }
      }
      for index in topology.nodes.indices {
        topology.nodes[index].memoryKiB = .max
        topology.nodes[index].freeKiB = .max
        topology.nodes[index].reclaimableKiB = .max
        topology.nodes[index].distances = [.max, .min]
        topology.nodes[index].pools = [0, 2048, .max].map {
          PoolFacts(pageKiB: $0, total: .max, free: .max, surplus: .max)
        }
      }
      topology.nodes[1].id = .max
    }
    for goal in Goal.allCases {
      for memoryKiB in [1, 1 << 20, Int.max / 1024] {
        let wish = Wish(vcpus: 6, memoryKiB: memoryKiB, goal: goal)
        let premises = Premises(machine.topology, tenants: [])
        let advice = Advice(for: wish, on: premises)
        #expect(advice.candidates.isEmpty != advice.shortages.isEmpty)
        for candidate in advice.candidates {
          let context = SnippetContext(premises: premises, section: "x", hasFunctions: false)
          #expect(!candidate.snippet(for: .proxmox, context).configuration.isEmpty)
        }
      }
    }
  }

  @Test func findsTheOnlyNodesWithRoomAmongMany() throws {
    let machine = Machine(
      "24 nodes", nodes: Array(repeating: [Machine.Cluster(cores: 4, threads: 1)], count: 24),
      gibibytes: 4)
    let fed = [2, 9, 13, 22]
    let uneven = machine.changed("24 nodes, 4 of them with memory to spare") { topology in
      for index in fed { topology.nodes[index].freeKiB = 32 << 20 }
      for index in fed { topology.nodes[index].memoryKiB = 32 << 20 }
    }
    #expect(try best(uneven, vcpus: 8, gibibytes: 112).nodes == fed)
    #expect(try best(machine, vcpus: 24).nodes.count == 6)
  }

  /// The work must not grow with the combinations of a large host.
  @Test(arguments: Goal.allCases)
  func judgesFewPlacesOnALargeHost(goal: Goal) {
    let premises = Premises(Machine.large.topology, tenants: [])
    for vcpus in [2, 63, 200, 504] {
      let wish = Wish(vcpus: vcpus, memoryKiB: 128 << 20, goal: goal)
      let places = Search(assessor: Assessor(wish, on: premises)).candidates().count
      #expect(places > 0 && places < 1500, "\(vcpus) vCPUs: \(places)")
    }
  }
}
