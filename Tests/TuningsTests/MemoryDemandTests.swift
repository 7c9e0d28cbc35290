import HostModel
import Testing

@testable import Tunings

/// Huge pages are asked of the nodes on which the kernel looks for them first, by the domain's own mode.
struct MemoryDemandTests {
  /// Sizes in pages of 2 MiB; `expected` is what each node is to give.
  struct Row: Sendable, CustomStringConvertible {
    var description: String
    var pins: [Int: CPUList] = [:]
    var emulator: CPUList?
    var nodes: CPUList?
    var mode: MemoryMode?
    var pages = 2048
    var expected: [Int: Int]
  }

  /// Node 0 has 8 GiB free, node 1 has 6 (4096 and 3072 pages).
  private static let rows = [
    Row(description: "vCPUs on node 1", pins: [0: [4], 1: [12]], expected: [1: 2048]),
    Row(description: "vCPUs on node 0", pins: [0: [0], 1: [8]], expected: [0: 2048]),
    Row(description: "most vCPUs on node 1", pins: [0: [4], 1: [5, 0]], expected: [1: 2048]),
    Row(
      description: "vCPUs on both, the emulator on node 1", pins: [0: [0], 1: [4]], emulator: [6],
      expected: [1: 2048]),
    Row(description: "nothing pinned, most memory on node 0", expected: [0: 2048]),
    Row(description: "the emulator alone is pinned", emulator: [4], expected: [1: 2048]),
    Row(
      description: "what node 1 has no room for", pins: [0: [4]], pages: 5000,
      expected: [1: 3072, 0: 1928]),
    Row(
      description: "strict, one node", pins: [0: [0]], nodes: [1], mode: .strict,
      expected: [1: 2048]),
    Row(
      description: "strict, two nodes, vCPUs on node 1", pins: [0: [4]], nodes: [0, 1],
      mode: .strict, expected: [1: 2048]),
    Row(
      description: "strict, two nodes, more than one has", nodes: [0, 1], mode: .strict,
      pages: 4288, expected: [0: 4096, 1: 192]),
    Row(
      description: "interleave", pins: [0: [0]], nodes: [0, 1], mode: .interleave,
      expected: [0: 1024, 1: 1024]),
    Row(
      description: "interleave, an odd number", nodes: [0, 1], mode: .interleave, pages: 101,
      expected: [0: 51, 1: 50]),
    Row(
      description: "interleave, more than one node has", nodes: [0, 1], mode: .interleave,
      pages: 7000, expected: [0: 3928, 1: 3072]),
    Row(
      description: "preferred", pins: [0: [0]], nodes: [1], mode: .preferred, expected: [1: 2048]),
    Row(
      description: "preferred, more than the node has", nodes: [1], mode: .preferred, pages: 4000,
      expected: [1: 3072, 0: 928]),
    Row(
      description: "restrictive", pins: [0: [0]], nodes: [1], mode: .restrictive,
      expected: [1: 2048]),
  ]

  private func domain(_ row: Row) -> Domain {
    var domain = Sample.domain
    domain.vcpuPins = row.pins
    domain.emulatorPin = row.emulator
    domain.cells = [
      GuestCell(
        id: 0, memoryKiB: row.pages * 2048, pageKiB: 2048, hostNodes: row.nodes, mode: row.mode)
    ]
    return domain
  }

  private func needs(_ plan: Plan) -> [Int: Int] {
    var needs: [Int: Int] = [:]
    for change in plan.changes {
      guard case .hugepagePool(let pool) = change.setting, case .more(_, let need) = change.claim
      else { continue }
      needs[pool.node] = need
    }
    return needs
  }

  @Test(arguments: rows)
  func pagesAreAskedOfTheNodesThatTheKernelTakesThemFrom(row: Row) {
    let plan = Sample.plan(HugepageReservation(), domain: domain(row))
    #expect(plan.refusals.isEmpty)
    #expect(needs(plan) == row.expected)
    // What does not come from where it is to be is said, but where the configuration wants it so.
    let isAway = row.expected.count > 1 && row.mode != .interleave
    #expect(plan.warnings.contains { $0.contains("come from node") } == isAway)
  }

  @Test func aNodeWithoutCPUsIsTakenFromOnlyWhereItIsNamed() {
    var host = Sample.host
    var memory = NodeFacts(id: 2)
    memory.memoryKiB = 64 << 20
    memory.freeKiB = 60 << 20
    memory.pools = [PoolFacts(pageKiB: 2048, total: 0, free: 0, surplus: 0)]
    host.nodes.append(memory)
    for (nodes, expected) in [(nil, [0: 2048]), ([2], [2: 2048])] as [(CPUList?, [Int: Int])] {
      let row = Row(description: "", nodes: nodes, mode: nodes.map { _ in .strict }, expected: [:])
      #expect(needs(Sample.plan(HugepageReservation(), domain: domain(row), on: host)) == expected)
    }
  }

  @Test func theNearestOfSeveralNodesComesNext() {
    var host = Sample.host
    for id in [2, 3] {
      var node = NodeFacts(id: id)
      node.cpus = [16 + id]
      node.memoryKiB = 16 << 20
      node.freeKiB = id == 2 ? 8 << 20 : 4 << 20
      node.pools = [PoolFacts(pageKiB: 2048, total: 0, free: 0, surplus: 0)]
      host.nodes.append(node)
    }
    let rows = [[10, 32, 32, 32], [32, 10, 32, 12], [32, 32, 10, 32], [32, 12, 32, 10]]
    for index in host.nodes.indices { host.nodes[index].distances = rows[index] }
    for mode in [nil, MemoryMode.preferred] {
      var row = Row(description: "", pins: [0: [4]], pages: 4000, expected: [:])
      (row.nodes, row.mode) = (mode.map { _ in [1] }, mode)
      let plan = Sample.plan(HugepageReservation(), domain: domain(row), on: host)
      #expect(needs(plan) == [1: 3072, 3: 928])
    }
  }

  @Test func cachesOfTheKernelsCountAsRoom() {
    var host = Sample.host
    host.nodes[1].freeKiB = 1 << 20
    host.nodes[1].reclaimableKiB = 5 << 20
    let row = Row(description: "", pins: [0: [4]], expected: [:])
    #expect(needs(Sample.plan(HugepageReservation(), domain: domain(row), on: host)) == [1: 2048])
  }

  @Test func partsOfOneDomainInOnePoolAddUp() {
    var domain = domain(Row(description: "", nodes: [1], mode: .strict, pages: 100, expected: [:]))
    domain.memoryDevices = [
      MemoryDevice(sizeKiB: 10 * 2048, pageKiB: 2048, hostNodes: [0, 1], mode: .interleave)
    ]
    let plan = Sample.plan(HugepageReservation(), domain: domain)
    #expect(needs(plan) == [0: 5, 1: 105])
    #expect(plan.changes.count == 2)
  }
}
