import HostModel
import Support
import Testing

@testable import Facts
@testable import Formats
@testable import Recorded

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
    ("Active(file): 9223372036854775807 kB\\nInactive(file): 9223372036854775807 kB", 0),
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

  /// The number of a package is read once where the kernel lists whose it is, else of each CPU.
  @Test(arguments: ["", "sys/devices/system/cpu/cpu0/topology/core_siblings_list\t0,2"])
  func knowsThePackageOfEachCPU(list: String) throws {
    let topology = try odd(
      """
      sys/devices/system/cpu/cpu1/topology/physical_package_id\t7
      sys/devices/system/cpu/cpu1/topology/die_id\t2
      \(list)
      """)
    #expect(topology.cpus.map(\.package) == [0, 7, 0, 7])
    #expect(topology.cpus.map(\.die) == [nil, 2, nil, 2])
  }

  @Test(arguments: [
    ("cpu:type:x86,ven0000fam0006mod0055:feature:,0000", CPUVendor.intel),
    ("cpu:type:x86,ven0002fam0019mod0021:feature:,0000", .amd),
    ("cpu:type:aarch64,midr410fd0c1", nil), ("", nil),
  ])
  func knowsTheVendorByTheAliasOfItsCPUs(alias: String, vendor: CPUVendor?) throws {
    #expect(try odd("sys/devices/system/cpu/modalias\t\(alias)").cpuVendor == vendor)
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

  @Test func takesMasksWhereAnOldKernelHasNoLists() throws {
    let topology = try odd(
      """
      sys/devices/system/cpu/cpu2/topology/thread_siblings\t00000000,00000004
      sys/devices/system/cpu/cpu0/cache/index4/level\t3
      sys/devices/system/cpu/cpu0/cache/index4/size\t9216K
      sys/devices/system/cpu/cpu0/cache/index4/shared_cpu_map\t00000000,00000005
      sys/devices/system/cpu/cpu1/cache/index4/level\t3
      sys/devices/system/cpu/cpu1/cache/index4/shared_cpu_map\t00000000,00000000
      sys/devices/system/node/node0/cpumap\t0000000f
      """)
    #expect(topology.cpus[0].l3 == [0, 2] && topology.cpus[2].l3KiB == 9216)
    // Itanium says of a cache that nobody shares that nobody has it.
    #expect(topology.cpus[1].l3 == [1] && topology.cpus[3].l3 == nil)
    #expect(topology.cpus.allSatisfy { $0.node == 0 })
  }

  /// One clear sentence with the file and its value, whatever a record says.
  @Test(arguments: [
    ("sys/devices/system/cpu/online\t0-3,x", "cpu/online"),
    ("sys/devices/system/cpu/online\t0-99999999", "cpu/online"),
    ("sys/devices/system/cpu/online\t3-1", "cpu/online"),
    ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list\t-1", "thread_siblings_list"),
    ("sys/devices/system/cpu/cpu0/topology/core_id\tabc", "core_id"),
    ("sys/devices/system/cpu/cpu0/topology/core_id\t99999999999999999999", "core_id"),
    ("sys/devices/system/node/node0/cpulist\tall", "node0/cpulist"),
    ("sys/devices/system/node/node0/cpumap\txyz", "node0/cpumap"),
    ("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages\tmany", "free_hugepages"),
    ("sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list\t0-", "shared_cpu_list"),
  ])
  func saysWhatIsBroken(line: String, place: String) throws {
    let error = #expect(throws: HostError.self) { try odd(line) }
    #expect(error?.place.hasSuffix(place) == true)
    #expect(error?.diagnosis?.contains("\n") == false)
  }

  @Test func isNoHostWithoutCPUs() throws {
    let folder = TemporaryDirectory()
    folder.directory("sys")
    #expect(throws: HostError.self) {
      try TopologyReader(kernel: RecordedKernel(root: folder.path)).topology()
    }
  }

  /// The hosts beside the workstation, each with its nodes, cores, CPUs and third-level caches.
  @Test(arguments: [
    ("x3d-desktop", 1, 16, 32, [98304, 32768]), ("hybrid-laptop", 1, 16, 22, [24576]),
    ("epyc-server", 8, 128, 128, [Int](repeating: 32768, count: 16)),
    ("proxmox-node", 1, 8, 16, [16384]),
  ])
  func knowsTheOthers(name: String, nodes: Int, cores: Int, cpus: Int, caches: [Int]) throws {
    let folder = TemporaryDirectory()
    try RecordedHost(at: Workstation.file("\(name).host")).unpack(into: folder.path)
    let topology = try TopologyReader(kernel: RecordedKernel(root: folder.path)).topology()
    #expect(topology.nodes.count == nodes && topology.cores.count == cores)
    #expect(topology.cpus.count == cpus)
    var found: [(cpus: CPUList, kiB: Int)] = []
    for cpu in topology.cpus {
      guard let l3 = cpu.l3, let kiB = cpu.l3KiB, !found.contains(where: { $0.cpus == l3 }) else {
        continue
      }
      found.append((l3, kiB))
    }
    #expect(found.map(\.kiB) == caches)
  }

  @Test func knowsThreeKindsOfCores() throws {
    let folder = TemporaryDirectory()
    try RecordedHost(at: Workstation.file("hybrid-laptop.host")).unpack(into: folder.path)
    let topology = try TopologyReader(kernel: RecordedKernel(root: folder.path)).topology()
    #expect(topology.cpus.filter { $0.kind == .performance }.map(\.id) == Array(0...11))
    #expect(topology.cpus.filter { $0.kind == .efficiency }.map(\.id) == Array(12...21))
    #expect(topology.cpus[20].l3 == nil && topology.cpus[19].l3?.count == 20)
  }

  @Test func knowsTheMachinesOfProxmox() throws {
    let folder = TemporaryDirectory()
    try RecordedHost(at: Workstation.file("proxmox-node.host")).unpack(into: folder.path)
    let kernel = RecordedKernel(root: folder.path)
    let guests = try GuestReader(kernel: kernel).running().map(TopologyGuest.init)
    #expect(guests.map(\.name) == ["100", "101"])
    #expect(guests.map(\.vcpus.count) == [4, 8])
    #expect(guests[0].iothreads == [1: [2, 3, 4, 5]])
    let conf = try #require(try ProxmoxHost(kernel: kernel).configuration(of: "101"))
    #expect(conf.domain.functions.map { "\($0.address)" } == ["0000:01:00.0"])
  }
}
