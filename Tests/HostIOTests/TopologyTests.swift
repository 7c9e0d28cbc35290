import HostModel
import Testing

@testable import HostIO

/// What a host is built of, on plain machines and on odd ones.
struct TopologyTests {
  /// A host of nothing but what the lines say, beside the CPUs 0 to 3 in two cores.
  private func odd(_ lines: String) throws -> Topology {
    let folder = TemporaryDirectory()
    try RecordedHost(
      parsing: """
        sys/devices/system/cpu/online\t0-3
        sys/devices/system/cpu/cpu0/topology/thread_siblings_list\t0,2
        sys/devices/system/cpu/cpu0/topology/core_id\t0
        sys/devices/system/cpu/cpu0/topology/physical_package_id\t0
        sys/devices/system/cpu/cpu1/topology/thread_siblings_list\t1,3
        sys/devices/system/cpu/cpu1/topology/core_id\t5
        sys/devices/system/cpu/cpu1/topology/physical_package_id\t0
        \(lines)
        """, from: "test"
    ).unpack(into: folder.path)
    return try TopologyReader(kernel: RecordedKernel(root: folder.path)).topology()
  }

  @Test func knowsTheWorkstation() throws {
    let host = try Workstation()
    let topology = try TopologyReader(kernel: host.kernel).topology()
    #expect(topology.kernel == "6.12.48+deb13-amd64")
    #expect(topology.cpus.map(\.id) == Array(0...15))
    #expect(topology.cpus.allSatisfy { $0.node == ($0.id % 8 < 4 ? 0 : 1) })
    #expect(topology.cpus[13].siblings == [5, 13])
    #expect(topology.cpus[13].core == 1 && topology.cpus[13].package == 1)
    #expect(topology.cpus[13].l3?.description == "4-7,12-15")
    #expect(topology.cores.map(\.description).prefix(3) == ["0,8", "1,9", "2,10"])
    #expect(topology.nodes.map(\.distances) == [[10, 21], [21, 10]])
    let gpu = try #require(topology.functions.first { "\($0.address)" == "0000:41:00.0" })
    #expect(gpu.node == 1 && gpu.iommuGroup == 20 && gpu.driver == "nouveau")
    #expect(gpu.vendor == "0x10de" && gpu.classCode == "0x030000")
  }

  @Test func knowsWhoRunsAndWhere() throws {
    let host = try Workstation()
    #expect(try GuestReader(kernel: host.kernel).running().isEmpty)
    try host.prepareAndStartGaming()
    let guests = try GuestReader(kernel: host.kernel).running().map(TopologyGuest.init)
    #expect(guests.map(\.name) == ["gaming"])
    #expect(guests.first?.vcpus == [0: [5], 1: [13], 2: [6], 3: [14], 4: [7], 5: [15]])
    #expect(guests.first?.iothreads == [1: [4, 12]])
    #expect(guests.first?.emulator == [4, 12])
  }

  @Test func knowsADomainByItsRealName() throws {
    let host = try Workstation()
    try host.add("run/libvirt/qemu/a &amp; b.pid\t1\nrun/qemu-server/100.pid\t1")
    let candidates = try GuestReader(kernel: host.kernel).candidates()
    #expect(candidates.map(\.name) == ["a & b", "100"])
    #expect(candidates.last?.vmid == "100")
  }

  @Test func countsACoreOnceHoweverItsThreadsAreNumbered() throws {
    let topology = try odd("")
    #expect(topology.cores == [[0, 2], [1, 3]])
    #expect(topology.cpus[3].core == 5)
    #expect(
      topology.cpus[0].die == nil && topology.cpus[0].l3 == nil && topology.cpus[0].kind == nil)
  }

  @Test func hasOneNodeWhereTheKernelKnowsNone() throws {
    let topology = try odd("proc/meminfo\tMemTotal: 1000 kB")
    #expect(topology.nodes.map(\.id) == [0])
    #expect(topology.nodes[0].memoryKiB == 1000 && topology.nodes[0].distances.isEmpty)
    #expect(topology.cpus.allSatisfy { $0.node == 0 })
  }

  @Test(arguments: [
    ("Inactive(file): 300 kB\\nActive(file): 20 kB\\nKReclaimable: 5 kB", 325),
    ("Active(file): 20 kB\\nSReclaimable: 4 kB", 24), ("MemFree: 7 kB", 0),
    ("Active(file): 9223372036854775807 kB\\nInactive(file): 9223372036854775807 kB", 1 << 49),
  ])
  func knowsWhatTheCachesWouldGiveUp(lines: String, kiB: Int) throws {
    let topology = try odd("proc/meminfo\tMemTotal: 1000 kB\\n\(lines)")
    #expect(topology.nodes[0].reclaimableKiB == kiB)
  }

  @Test(arguments: [
    ("quiet isolcpus=2-3 ro", "2-3"), ("isolcpus=nohz,domain,managed_irq,1,3", "1,3"), ("ro", ""),
    ("isolcpus=0-10:2/4", ""), ("isolcpus=1 isolcpus=2", "2"),
  ])
  func knowsWhatWasSetAsideAtBoot(line: String, cpus: String) throws {
    let host = try Workstation()
    try host.add("proc/cmdline\t\(line)")
    #expect(try TopologyReader(kernel: host.kernel).cpusSetAside().description == cpus)
  }

  @Test func saysNothingOfAnOfflineCPUButThatItIsThere() throws {
    let topology = try odd("sys/devices/system/cpu/present\t0-5,9")
    #expect(topology.cpus.map(\.id) == [0, 1, 2, 3, 4, 5, 9])
    #expect(topology.cpus.filter { !$0.isOnline }.map(\.id) == [4, 5, 9])
    #expect(topology.cpus[6].core == nil && topology.cpus[6].siblings == [9])
    #expect(topology.cpus[6].node == nil)
  }

  @Test func leavesSiblingsOutThatAreOffline() throws {
    let topology = try odd("sys/devices/system/cpu/online\t0-2")
    #expect(topology.cores == [[0, 2], [1]])
  }

  @Test func knowsNodesWithoutMemoryAndWithoutCPUs() throws {
    let topology = try odd(
      """
      sys/devices/system/node/node0/cpulist\t0-3
      sys/devices/system/node/node0/meminfo\tNode 0 MemTotal: 0 kB
      sys/devices/system/node/node8/cpulist\t\\n\\c
      sys/devices/system/node/node8/meminfo\tNode 8 MemTotal: 4096 kB
      """)
    #expect(topology.nodes.map(\.id) == [0, 8])
    #expect(topology.nodes.map(\.memoryKiB) == [0, 4096])
    #expect(topology.nodes[1].cpus.isEmpty)
  }

  @Test(arguments: [
    (
      "sys/devices/cpu_core/cpus\t0,2\nsys/devices/cpu_atom/cpus\t1,3",
      [CoreKind.performance, .efficiency, .performance, .efficiency]
    ),
    (
      """
      sys/devices/system/cpu/cpu0/cpu_capacity\t1024
      sys/devices/system/cpu/cpu1/cpu_capacity\t446
      sys/devices/system/cpu/cpu2/cpu_capacity\t1024
      sys/devices/system/cpu/cpu3/cpu_capacity\t446
      """, [.performance, .efficiency, .performance, .efficiency]
    ),
    (
      "sys/devices/system/cpu/cpu0/cpu_capacity\t1024\nsys/devices/system/cpu/cpu1/cpu_capacity\t1024",
      [nil, nil, nil, nil]
    ),
  ])
  func tellsKindsOfCoresApart(lines: String, kinds: [CoreKind?]) throws {
    #expect(try odd(lines).cpus.map(\.kind) == kinds)
  }

  @Test func findsTheThirdLevelByItsNumberNotByItsPlace() throws {
    let topology = try odd(
      """
      sys/devices/system/cpu/cpu0/cache/index2/level\t3
      sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_list\t0-3
      sys/devices/system/cpu/cpu0/cache/index2/size\t98304K
      sys/devices/system/cpu/cpu0/cache/index3/level\t4
      sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list\t0-3
      """)
    #expect(topology.cpus.allSatisfy { $0.l3 == [0, 1, 2, 3] && $0.l3KiB == 98304 })
  }

  @Test func readsTheLinkOfAFunction() throws {
    let device = "sys/bus/pci/devices/0000:01:00.0"
    let topology = try odd(
      """
      \(device)/vendor\t0x10de
      \(device)/device\t0x2684
      \(device)/class\t0x030000
      \(device)/numa_node\t-1
      \(device)/current_link_width\t8
      \(device)/max_link_width\t16
      \(device)/current_link_speed\t2.5 GT/s PCIe
      \(device)/max_link_speed\t16.0 GT/s PCIe
      sys/bus/pci/devices/0000:00:1f.0/class\t0x060100
      sys/bus/pci/devices/0000:00:1f.0/max_link_width\t255
      """)
    #expect(topology.functions.map { "\($0.address)" } == ["0000:00:1f.0", "0000:01:00.0"])
    #expect(topology.functions[0].link == nil)
    #expect(topology.functions[1].node == nil && topology.functions[1].driver == nil)
    #expect(
      topology.functions[1].link?.width == 8 && topology.functions[1].link?.maximumWidth == 16)
  }

  @Test func namesTheFileThatMakesNoSense() throws {
    #expect(throws: HostError.self) { try odd("sys/devices/system/cpu/online\tall of them") }
  }
}
