import HostModel
import Testing

@testable import Tunings

struct HugepageReservationTests {
  private let tuning = HugepageReservation()
  private let pool = Setting.hugepagePool(HugepagePool(node: 1, pageKiB: 2048))

  /// The pool of 2 MiB pages on node 1.
  private func host(total: Int = 0, free: Int = 0, reserved: Int = 0) -> HostFacts {
    var host = Sample.host
    host.nodes[1].pools[0] = PoolFacts(pageKiB: 2048, total: total, free: free, surplus: 0)
    host.hugepageSizes[0] = HugepageSizeFacts(pageKiB: 2048, free: free, reserved: reserved)
    return host
  }

  @Test(arguments: [
    (0, 0, 2048), (2048, 0, 0), (5000, 0, 0), (1000, 0, 1048), (1000, 400, 1448), (300, 400, 2048),
  ])
  func asksForWhatIsMissingBeyondFreeAndUnreservedPages(free: Int, reserved: Int, more: Int) {
    let plan = Sample.plan(tuning, on: host(total: free, free: free, reserved: reserved))
    #expect(plan.changes.map(\.setting) == [pool])
    #expect(plan.changes.map(\.claim) == [.more(more, need: 2048)])
    #expect(plan.changes.allSatisfy { $0.isRequired })
  }

  @Test func pagesPromisedToADomainOnItsWayInAreNotCountedAsFree() {
    var host = host(total: 3000, free: 3000)
    host.neighbours = [
      Neighbour(
        holder: HolderID(hypervisor: .libvirt, id: "b"), name: "b", vcpuCPUs: [],
        pendingPages: [
          PendingPages(pool: HugepagePool(node: 1, pageKiB: 2048), need: 2000, outstanding: 0)
        ])
    ]
    #expect(Sample.plan(tuning, on: host).changes.map(\.claim) == [.more(1048, need: 2048)])
  }

  /// Of a domain with 2000 pages here and 1 GiB elsewhere: what its QEMU has taken, which of it is
  /// surely from here, and what it has mapped and not touched.
  @Test(arguments: [
    (nil, 3000, 0, 1048), (0, 3000, 2000, 1048), (2 << 20, 2488, 1488, 1048),
    (1 << 20, 3000, 2000, 1048), (5_144_576, 1000, 0, 1048),
  ])
  func whatADomainOnItsWayInHasTakenIsNotPromisedToItStill(
    takenKiB: Int?, free: Int, reserved: Int, more: Int
  ) {
    var host = host(total: 3000, free: free, reserved: reserved)
    var neighbour = Neighbour(
      holder: HolderID(hypervisor: .libvirt, id: "b"), name: "b", vcpuCPUs: [],
      pendingPages: [
        PendingPages(pool: HugepagePool(node: 1, pageKiB: 2048), need: 2000, outstanding: 0),
        PendingPages(pool: HugepagePool(node: 0, pageKiB: 1 << 20), need: 1, outstanding: 0),
      ])
    neighbour.takenKiB = takenKiB
    host.neighbours = [neighbour]
    #expect(Sample.plan(tuning, on: host).changes.map(\.claim) == [.more(more, need: 2048)])
  }

  @Test func cellsOfOneNodeAddUpAndModulesCountToo() {
    var domain = Sample.domain
    domain.cells = [
      GuestCell(id: 0, memoryKiB: 1 << 20, pageKiB: 0, hostNodes: [1]),
      GuestCell(id: 1, memoryKiB: 1 << 20, pageKiB: 2048, hostNodes: [1]),
      GuestCell(id: 2, memoryKiB: 2 << 20, pageKiB: 1 << 20, hostNodes: [0]),
      GuestCell(id: 3, memoryKiB: 1 << 20),
    ]
    domain.memoryDevices = [MemoryDevice(sizeKiB: 4097, pageKiB: 2048, hostNodes: [1])]
    let plan = Sample.plan(tuning, domain: domain)
    #expect(plan.changes.map(\.claim) == [.more(1027, need: 1027), .more(2, need: 2)])
    #expect(
      plan.changes.map(\.setting) == [pool, .hugepagePool(HugepagePool(node: 0, pageKiB: 1 << 20))])
  }

  /// Pages that strangers have mapped and not touched may be those of any node, and are not to be had twice.
  @Test(arguments: [(0, 0), (500, 500), (1000, 1000), (3000, 2048)])
  func mappedPagesOfAnyNodeAreTakenOffAllCellsOnce(reserved: Int, more: Int) {
    var host = Sample.host
    for node in 0...1 {
      host.nodes[node].pools[0] = PoolFacts(pageKiB: 2048, total: 1024, free: 1024, surplus: 0)
    }
    host.hugepageSizes[0] = HugepageSizeFacts(pageKiB: 2048, free: 2048, reserved: reserved)
    var domain = Sample.domain
    domain.cells = (0...1).map {
      GuestCell(id: $0, memoryKiB: 2 << 20, pageKiB: 2048, hostNodes: [$0])
    }
    let claims = Sample.plan(tuning, domain: domain, on: host).changes.map(\.claim)
    let asked = claims.map { claim -> Int in
      if case .more(let count, _) = claim { count } else { 0 }
    }
    #expect(asked.reduce(0, +) == more)
  }

  /// GiB free and cached on node 1, which has 16, and what its plan says of 12 GiB.
  @Test(
    arguments: [
      (13, 0, nil), (4, 9, nil),
      (
        3, 0,
        "and 1536 can be had now: only 3 GiB of the node's 16 GiB are free, as programs have 9 GiB"
      ),
      (1, 1, "and 1024 can be had now: only 1 GiB of the node's 16 GiB are free and 1 GiB cached"),
      (0, 0, "and 0 can be had now"),
    ] as [(Int, Int, String?)])
  func aShortageIsForeseenAndLeftToThePhaseToFind(free: Int, cached: Int, words: String?) {
    var host = Sample.host
    host.nodes[1].freeKiB = free << 20
    host.nodes[1].reclaimableKiB = cached << 20
    host.nodes[1].use.programsKiB = 9 << 20
    var domain = Sample.domain
    domain.cells = [GuestCell(id: 0, memoryKiB: 12 << 20, pageKiB: 2048, hostNodes: [1])]
    var policy = Policy()
    policy.limits.hostMemoryKiB = 0
    let plan = Sample.plan(tuning, domain: domain, policy: policy, on: host)
    #expect(plan.refusals.isEmpty && plan.warnings.isEmpty && plan.changes.count == 1)
    #expect(plan.doubts.count == (words == nil ? 0 : 1))
    if let words { #expect(plan.doubts.allSatisfy { $0.contains(words) }, "\(plan.doubts)") }
  }

  @Test(arguments: [
    (GuestCell(id: 0, memoryKiB: 1, pageKiB: 16384), "offers 2 MiB, 1 GiB"),
    (GuestCell(id: 0, memoryKiB: 1, pageKiB: 2048, hostNodes: [3]), "has only nodes 0-1"),
    (
      GuestCell(id: 0, memoryKiB: 99 << 20, pageKiB: 2048, hostNodes: [1]),
      "16 GiB of memory in all"
    ),
  ])
  func refusesWhatNoTryingCanGive(cell: GuestCell, words: String) {
    var domain = Sample.domain
    domain.cells = [cell]
    let plan = Sample.plan(tuning, domain: domain)
    #expect(plan.changes.isEmpty)
    #expect(plan.refusals.count == 1 && plan.refusals[0].description.contains(words))
    var policy = Policy()
    policy.memory.requiresHugepages = false
    let lenient = Sample.plan(tuning, domain: domain, policy: policy)
    #expect(lenient.refusals.isEmpty && lenient.warnings.count == 1)
  }

  @Test func theLastCheckRefusesWhenPagesWereTakenMeanwhile() {
    let taken = Sample.plan(tuning, .start, on: host(total: 2048, free: 2000))
    #expect(taken.refusals.count == 1 && taken.refusals[0].description.contains("48 of them"))
    let there = Sample.plan(tuning, .start, on: host(total: 2048, free: 2048))
    #expect(there.refusals.isEmpty && there.changes.isEmpty)
  }

  @Test(arguments: [Phase.started, .reconnect, .stopped, .release])
  func doesNothingAfterTheStart(phase: Phase) {
    #expect(Sample.plan(tuning, phase) == Plan(phase: phase))
    #expect(Sample.needs(tuning, phase) == FactNeeds())
  }

  @Test func aDomainWithoutHugePagesCostsNothing() {
    var domain = Sample.domain
    domain.cells = [GuestCell(id: 0, memoryKiB: 4 << 20)]
    #expect(Sample.needs(tuning, .prepare, domain: domain) == FactNeeds())
    #expect(Sample.plan(tuning, domain: domain) == Plan(phase: .prepare))
  }

  @Test func remediesFollowThePolicyAndSpareZFS() {
    var policy = Policy()
    func remedies(_ host: HostFacts = Sample.host) -> [Step]? {
      Sample.plan(tuning, policy: policy, on: host).changes.first?.remedies
    }
    #expect(remedies() == [.compactMemory(node: 1)])
    policy.memory.dropsCaches = true
    #expect(remedies() == [.dropCaches, .compactMemory(node: 1)])
    var zfs = Sample.host
    zfs.hasZFS = true
    #expect(remedies(zfs) == [.compactMemory(node: 1)])
    #expect(Sample.plan(tuning, policy: policy, on: zfs).warnings.count == 1)
    policy.memory.compaction = .never
    #expect(remedies(zfs) == [])
  }
}
