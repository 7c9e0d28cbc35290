import HostModel
import Testing

@testable import berth

/// The floor plan of a host, on a terminal and in a picture.
struct TopologyPlanTests {
  /// A host with this many nodes of this many cores of two threads, numbered as Intel does.
  private func host(nodes: Int, cores: Int) -> Topology {
    var topology = Topology()
    topology.kernel = "6.12.1"
    let count = nodes * cores
    for id in 0..<(count * 2) {
      var cpu = TopologyCPU(id: id, isOnline: true)
      cpu.node = id % count / cores
      cpu.package = cpu.node
      cpu.siblings = [id % count, id % count + count]
      cpu.l3 = CPUList((0..<(count * 2)).filter { $0 % count / cores == cpu.node })
      topology.cpus.append(cpu)
    }
    for id in 0..<nodes {
      var facts = NodeFacts(id: id)
      facts.memoryKiB = 64 << 20
      facts.freeKiB = 1536 << 10
      facts.cpus = CPUList(topology.cpus.filter { $0.node == id }.map(\.id))
      topology.nodes.append(
        TopologyNode(facts, distances: (0..<nodes).map { $0 == id ? 10 : 21 }))
    }
    return topology
  }

  private func text(_ topology: Topology) -> [String] {
    TopologyPlan(topology).lines.map(\.rendered)
  }

  @Test func drawsCoresInTheirNodes() {
    #expect(
      text(host(nodes: 2, cores: 2)) == [
        "Linux 6.12.1: 2 nodes, 4 cores, 8 CPUs",
        "",
        "node 0  64 GiB, 1.5 GiB free, distances 10 21",
        "  package 0, L3 of CPUs 0-1,4-5",
        "    [0  4 ] [1  5 ]",
        "",
        "node 1  64 GiB, 1.5 GiB free, distances 21 10",
        "  package 1, L3 of CPUs 2-3,6-7",
        "    [2  6 ] [3  7 ]",
      ])
  }

  @Test func marksWhatVMsArePinnedTo() {
    var topology = host(nodes: 1, cores: 4)
    topology.guests = [
      TopologyGuest(name: "a", vcpus: [0: [1], 1: [5]], emulator: [0, 4]),
      TopologyGuest(name: "b", vcpus: [0: [1], 1: [2]], iothreads: [1: [6]]),
      TopologyGuest(name: "roams", vcpus: [0: [0, 1, 2, 3, 4, 5, 6, 7]]),
    ]
    topology.isolatedCPUs = [1, 5]
    #expect(
      text(topology) == [
        "Linux 6.12.1: 1 node, 4 cores, 8 CPUs",
        "  A  a: 2 vCPUs on 1 5, emulator on 0,4",
        "  B  b: 2 vCPUs on 1 2, iothread 1 on 6",
        "  C  roams: 1 vCPU on 0-7",
        "isolated CPUs 1,5; the host has 0,2-4,6-7",
        "",
        "node 0  64 GiB, 1.5 GiB free",
        "  package 0, L3 of CPUs 0-7",
        "    [0a 4a] [1+ 5A] [2B 6b] [3  7 ]",
      ])
  }

  @Test func showsWhatIsOfNoNodeAndWhatIsNarrow() {
    var topology = host(nodes: 1, cores: 1)
    guard let address = PCIAddress("0000:01:00.0"), let bridge = PCIAddress("0000:00:01.0") else {
      Issue.record("no address")
      return
    }
    var gpu = TopologyFunction(
      address: address, vendor: "0x10de", device: "0x2684", classCode: "0x030000")
    gpu.driver = "nouveau"
    gpu.iommuGroup = 7
    gpu.link = LinkFacts(width: 8, maximumWidth: 16, speed: "", maximumSpeed: "")
    topology.functions = [
      TopologyFunction(
        address: bridge, vendor: "0x8086", device: "0x0001", classCode: "0x060400"), gpu,
    ]
    #expect(
      text(topology).suffix(3) == [
        "", "of no node", "  0000:01:00.0  display 10de:2684  nouveau, group 7, x8 of x16",
      ])
  }

  @Test(arguments: [(1, 4), (2, 8), (8, 8), (4, 64), (8, 32)])
  func fitsIntoEightyColumns(nodes: Int, cores: Int) {
    var topology = host(nodes: nodes, cores: cores)
    var vcpus: [Int: CPUList] = [:]
    for number in 0..<(nodes * cores) { vcpus[number] = [number] }
    topology.guests = [TopologyGuest(name: "large", vcpus: vcpus, emulator: [nodes * cores])]
    for line in text(topology) { #expect(line.count <= 80, "\(line)") }
  }

  @Test func cutsAListThatIsLongerThanALine() {
    var topology = host(nodes: 1, cores: 100)
    let even = CPUList(stride(from: 0, to: 200, by: 2))
    for index in topology.cpus.indices { topology.cpus[index].l3 = even }
    let lines = text(topology)
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.joined().replacing(" ", with: "").contains("0,2,4,6,8,10,12,14,16,18,20"))
  }

  @Test func writesNamesIntoThePictureAsTheyAre() {
    var topology = host(nodes: 1, cores: 1)
    topology.guests = [TopologyGuest(name: "<a> & \u{1b}[31m", vcpus: [0: [0]])]
    let picture = TopologyPicture(TopologyPlan(topology)).svg
    #expect(picture.contains("&lt;a&gt; &amp; \\u{1B}[31m: 1 vCPU on 0"))
    #expect(!picture.contains("\u{1b}"))
    #expect(picture.hasPrefix("<svg ") && picture.hasSuffix("</svg>\n"))
  }
}
