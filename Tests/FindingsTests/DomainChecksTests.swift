import HostModel
import Testing

@testable import Findings

/// What is found in configurations that something is wrong with.
struct DomainChecksTests {
  @Test func tellsWhatStandsAgainstTheNextStart() {
    var spoiled = Healthy()
    var plan = Plan(phase: .prepare)
    plan.refusals = [Refusal("win wants too much")]
    plan.warnings = ["win cannot be isolated"]
    spoiled.domain.plans = [plan]
    #expect(
      spoiled.titles == ["error plan: win wants too much", "warning plan: win cannot be isolated"])
    spoiled.domain.isRunning = true
    spoiled.domain.isIn = true
    #expect(spoiled.titles == [])
  }

  @Test func findsGoalsThatWereMissed() {
    var spoiled = Healthy()
    let miss = Miss("idle CPU 12 beside vCPU 0", because: "rival is there")
    spoiled.domain.attained = [
      Attainment("isolation", rung: "vCPU partitions"),
      Attainment("whole cores", rung: "idle CPU 13 beside vCPU 1", misses: [miss]),
    ]
    #expect(
      spoiled.titles == ["note isolation: whole cores of win is by idle CPU 13 beside vCPU 1 only"])
    #expect(
      spoiled.findings[0].evidence.map { "\($0.place): \($0.value)" } == [
        "no idle CPU 12 beside vCPU 0: rival is there"
      ])
    spoiled.domain.attained = [Attainment("whole cores", rung: nil, misses: [miss])]
    #expect(spoiled.titles == ["note isolation: whole cores of win is not reached"])
  }

  @Test func findsFunctionsThatLeftAVMThatRuns() throws {
    var spoiled = Healthy()
    let function = try #require(PCIAddress("0000:41:00.0"))
    spoiled.domain.departures = [
      FunctionDeparture(function: function, domain: "win", driver: "vfio-pci")
    ]
    #expect(
      spoiled.titles == [
        "note departed-function: 0000:41:00.0 was removed from win, which still runs: it stays on "
          + "vfio-pci until win stops"
      ])
    #expect(spoiled.findings[0].fix.contains("virsh nodedev-reattach pci_0000_41_00_0 "))
  }

  /// The CPUs of each vCPU, and what is said of them.
  @Test(
    arguments: [
      ([:], ["note pins: no vCPU of win is pinned"], "berth advise win"),
      (
        [0: [5], 1: [5], 2: [6], 3: [14]],
        ["warning pins: vCPUs 0-1 of win are all pinned to CPU 5"], "berth advise win"
      ),
      (
        [0: [4, 5, 6, 7], 1: [4, 5, 6, 7], 2: [4, 5, 6, 7], 3: [4, 5, 6, 7]],
        ["note pins: every vCPU of win may run on all of CPUs 4-7"],
        "<vcpupin vcpu='0' cpuset='4'/><vcpupin vcpu='1' cpuset='5'/>"
          + "<vcpupin vcpu='2' cpuset='6'/><vcpupin vcpu='3' cpuset='7'/>"
      ),
      ([0: [5], 1: [13], 2: [6], 3: [14]], [], ""),
      // Fewer CPUs than vCPUs: somebody means them to be shared.
      ([0: [4, 5], 1: [4, 5], 2: [4, 5], 3: [4, 5]], [], ""),
    ] as [([Int: CPUList], [String], String)])
  func findsVCPUsWithoutACPUOfTheirOwn(pins: [Int: CPUList], titles: [String], fix: String) {
    var spoiled = Healthy()
    spoiled.domain.domain.vcpuPins = pins
    spoiled.domain.pins = pins
    let findings = spoiled.findings.filter { $0.check == "pins" }
    #expect(findings.map { "\($0.severity) \($0.check): \($0.title)" } == titles)
    #expect(findings.map(\.fix) == (titles.isEmpty ? [] : [fix]))
  }

  @Test(arguments: [(7, false), (8, true), (64, true)])
  func findsALargeVMOnOrdinaryPages(gibibytes: Int, isFound: Bool) {
    for (hypervisor, fix) in [
      (Hypervisor.libvirt, "<memoryBacking><hugepages/></memoryBacking>"),
      (.proxmox, "qm set 100 --numa 1 --hugepages 2"),
    ] {
      var spoiled = Healthy(hypervisor)
      spoiled.domain.domain.cells = [
        GuestCell(id: 0, memoryKiB: gibibytes << 20, hostNodes: [1], mode: .strict)
      ]
      let findings = spoiled.findings.filter { $0.check == "ordinary-pages" }
      #expect(findings.map(\.fix) == (isFound ? [fix] : []))
    }
  }

  @Test func findsAMissingHookscript() {
    var spoiled = Healthy(.proxmox)
    spoiled.domain.hookscript = nil
    #expect(spoiled.titles == ["warning hookscript: Proxmox does not call Berth for win"])
    #expect(spoiled.findings[0].fix == "qm set 100 --hookscript local:snippets/berth")
    spoiled.domain.isTuned = false
    #expect(spoiled.titles == [])
    spoiled.domain.isTuned = true
    spoiled.domain.hookscript = "local:snippets/berth"
    spoiled.domain.hookscriptObjection = "is not there"
    #expect(
      spoiled.titles == [
        "error hookscript: the hookscript of win cannot be run: it is not there"
      ])
  }

  @Test func findsADomainThatRunsUnseen() {
    var spoiled = Healthy()
    spoiled.domain.isRunning = true
    #expect(spoiled.titles == ["warning unseen-start: win was started without Berth"])
    spoiled.domain.isIn = true
    #expect(spoiled.titles == [])
  }

  @Test func findsHugepagesThatProxmoxDoesNotStartWith() {
    var spoiled = Healthy(.proxmox)
    var plan = Plan(phase: .prepare)
    plan.refusals = [Refusal("Proxmox does not start win: “numa …”", fix: "qm set 100 --numa 1")]
    spoiled.domain.plans = [plan]
    spoiled.domain.remarks = [
      Remark(place: "100.conf:9", value: "x", sentence: "“x” is ignored")
    ]
    #expect(
      spoiled.titles == [
        "error plan: Proxmox does not start win: “numa …”",
        "warning configuration: win: “x” is ignored",
      ])
    #expect(spoiled.findings[0].fix == "qm set 100 --numa 1")
    #expect(spoiled.findings[1].evidence[0].place == "100.conf:9")
  }

  @Test func findsAnAffinityThatIsAFence() {
    var spoiled = Healthy(.proxmox)
    spoiled.domain.domain.proxmox = ProxmoxOptions(onlineVCPUs: 4)
    spoiled.domain.domain.proxmox?.affinity = CPUList(0...15)
    #expect(spoiled.titles == [])
    spoiled.domain.fence = "its vCPUs may be anywhere"
    #expect(spoiled.titles == ["note affinity: its vCPUs may be anywhere"])
    #expect(spoiled.findings[0].fix == "berth advise 100 says which CPUs to give it")
  }

  /// What is in `args` stays there, and what `-cpu` there takes the place of is asked for.
  @Test(
    arguments: [
      (nil, "'-cpu CPU,topoext=on', with what “qm showcmd 100” has behind -cpu for CPU"),
      ("-device 'a b'", "'-device \"a b\" -cpu CPU,topoext=on', with what"),
      ("-cpu host,+x -foo", "'-foo -cpu host,+x,topoext=on'"),
    ] as [(String?, String)])
  func addsToTheArgumentsThatAreThere(arguments: String?, line: String) {
    var spoiled = Healthy(.proxmox)
    spoiled.domain.domain.proxmox = ProxmoxOptions(onlineVCPUs: 4)
    spoiled.domain.domain.proxmox?.arguments = arguments
    spoiled.domain.machine.cpuFeatures = []
    spoiled.host.topology.cpuVendor = .amd
    let fix = spoiled.findings.first { $0.check == "guest-topology" }?.fix ?? ""
    #expect(fix.hasPrefix("qm set 100 --args \(line)"), "\(fix)")
    // A guest that takes threads for cores.
    spoiled.host.topology.cpuVendor = .intel
    spoiled.domain.machine.topology = GuestTopology(sockets: 1, cores: 4, threads: 1)
    let topology = spoiled.findings.first { $0.check == "guest-topology" }?.fix ?? ""
    #expect(topology.contains("-smp 4,sockets=1,cores=2,threads=2,maxcpus=4"), "\(topology)")
    for word in ["-device", "-foo", "-cpu host"] where arguments?.contains(word) == true {
      #expect(topology.contains(word))
    }
  }

  @Test func findsAGroupThatIsNotViable() throws {
    var spoiled = Healthy()
    try spoiled.addCard()
    let sibling = try #require(PCIAddress("0000:41:00.1"))
    spoiled.domain.functions[0].groupSiblings = [
      GroupSibling(address: sibling, driver: "snd_hda_intel")
    ]
    #expect(
      spoiled.titles == [
        "error iommu-group: 0000:41:00.0 shares IOMMU group 20 with functions that the host uses"
      ])
    #expect(spoiled.findings[0].evidence[0].value == "0000:41:00.1 (snd_hda_intel)")
    // What goes with it, waits on VFIO, or is a port does no harm.
    for driver in ["vfio-pci", "pcieport", "pci-stub", nil] {
      spoiled.domain.functions[0].groupSiblings[0].binding.driver = driver
      #expect(spoiled.titles == [])
    }
    spoiled.domain.functions[0].iommuGroup = nil
    #expect(spoiled.titles == ["error iommu-group: 0000:41:00.0 is in no IOMMU group"])
  }

  @Test func leavesGroupsOfWhatBerthBindsToThePlan() throws {
    var spoiled = Healthy()
    try spoiled.addCard(managed: false)
    spoiled.domain.functions[0].iommuGroup = nil
    #expect(spoiled.titles == [])
  }

  @Test func findsADeviceOnAnotherNode() throws {
    var spoiled = Healthy()
    try spoiled.addCard()
    spoiled.domain.functions[0].node = 0
    #expect(
      spoiled.titles == [
        "warning device-node: 0000:41:00.0 is on node 0, and win has its vCPUs on node 1 and memory "
          + "on node 1"
      ])
    #expect(spoiled.findings[0].fix.contains("0-3,8-11"))
    spoiled.domain.functions[0].node = nil
    #expect(spoiled.titles == [])
  }

  @Test func findsMemoryOnAnotherNode() {
    var spoiled = Healthy()
    spoiled.domain.domain.cells[0].hostNodes = [0]
    #expect(
      spoiled.titles == ["warning memory-node: win has memory on node 0 and vCPUs on node 1"])
    spoiled.domain.domain.cells[0].hostNodes = nil
    #expect(spoiled.titles == ["warning memory-node: the memory of win may come from any node"])
    #expect(
      spoiled.findings[0].fix == "<numatune><memory mode='strict' nodeset='1'/></numatune>")
  }

  @Test func findsCoresThatAreShared() {
    var spoiled = Healthy()
    spoiled.domain.pins = [0: [5], 1: [13], 2: [6], 3: [7]]
    #expect(
      spoiled.titles == [
        "warning split-cores: win shares 2 cores with the host",
        "warning guest-topology: win takes vCPUs for threads of one core that are on different cores",
      ])
    #expect(spoiled.findings[0].consequence.contains("CPU 14-15"))
    var rival = Healthy(name: "rival").domain
    rival.pins = [0: [14]]
    spoiled.host.domains.append(rival)
    #expect(spoiled.titles.contains("warning split-cores: win shares 2 cores with rival"))
  }

  @Test func findsVCPUsInSeveralCaches() {
    var spoiled = Healthy()
    spoiled.domain.pins = [0: [5], 1: [13], 2: [2], 3: [10]]
    #expect(
      spoiled.titles.contains("warning split-caches: the vCPUs of win are spread over 2 L3 caches"))
    // What fits into none has to be in several.
    for id in 0..<16 { spoiled.host.topology.cpus[id].l3 = spoiled.host.topology.cpus[id].siblings }
    #expect(!spoiled.titles.contains { $0.contains("split-caches") })
  }

  @Test func findsVCPUsOnCoresOfTwoKinds() {
    var spoiled = Healthy()
    for id in 0..<16 {
      spoiled.host.topology.cpus[id].kind = id % 8 == 6 ? .efficiency : .performance
    }
    #expect(spoiled.titles == ["warning split-caches: win has vCPUs on cores of two kinds"])
  }

  @Test func findsThreadsThatAreTakenForCores() {
    var spoiled = Healthy()
    spoiled.domain.machine.topology = GuestTopology(sockets: 1, cores: 4, threads: 1)
    #expect(
      spoiled.titles == [
        "warning guest-topology: win sees two threads of a core as two cores"
      ])
    #expect(
      spoiled.findings[0].fix
        == "<topology sockets='1' dies='1' cores='2' threads='2'/> in <cpu>")
    // In another order the pins have to be changed as well.
    spoiled.domain.pins = [0: [5], 1: [6], 2: [13], 3: [14]]
    #expect(
      spoiled.findings[0].fix.hasSuffix(
        "and <vcpupin vcpu='0' cpuset='5'/> <vcpupin vcpu='1' cpuset='13'/> "
          + "<vcpupin vcpu='2' cpuset='6'/> <vcpupin vcpu='3' cpuset='14'/>"))
  }

  @Test func findsCoresThatAreTakenForThreads() {
    var spoiled = Healthy()
    spoiled.domain.pins = [0: [5], 1: [6], 2: [13], 3: [14]]
    #expect(
      spoiled.titles == [
        "warning guest-topology: win takes vCPUs for threads of one core that are on different cores"
      ])
    #expect(
      spoiled.findings[0].fix.hasPrefix(
        "<vcpupin vcpu='0' cpuset='5'/> <vcpupin vcpu='1' cpuset='13'/>"))
  }

  @Test func findsThreadsThatAMDHides() {
    var spoiled = Healthy()
    spoiled.host.topology.cpuVendor = .amd
    #expect(spoiled.titles == [])
    spoiled.domain.machine.cpuFeatures = []
    #expect(
      spoiled.titles == [
        "warning guest-topology: win does not see which of its vCPUs share a core"
      ])
    spoiled.host.topology.cpuVendor = .intel
    #expect(spoiled.titles == [])
  }

  @Test func findsAWindowsOfManySockets() {
    var spoiled = Healthy()
    spoiled.domain.machine.isWindows = true
    spoiled.domain.machine.enlightenments.areAllOn = true
    spoiled.domain.machine.enlightenments.hasClock = true
    #expect(spoiled.titles == [])
    spoiled.domain.machine.topology = nil
    spoiled.domain.pins = [:]
    #expect(
      spoiled.titles.contains("warning guest-topology: win is a Windows with 4 CPU sockets"))
  }

  @Test func findsOtherThreadsOnCPUsOfVCPUs() {
    var spoiled = Healthy()
    spoiled.domain.domain.emulatorPin = [5, 12]
    spoiled.domain.domain.iothreadPins = [1: [6]]
    #expect(
      spoiled.titles == [
        "warning other-threads: QEMU's emulator thread of win may run on CPUs of its vCPUs",
        "warning other-threads: iothread 1 of win may run on CPUs of its vCPUs",
      ])
    #expect(spoiled.findings[0].fix == "<emulatorpin cpuset='0-4,7-12,15'/>")
    // Isolated, a thread without a pin is kept off by the kernel.
    spoiled.domain.domain.emulatorPin = nil
    spoiled.domain.domain.iothreadPins = [:]
    #expect(spoiled.titles == [])
    spoiled.domain.policy.isolation = .none
    #expect(spoiled.titles.count == 1)
  }

  @Test func findsRealTimeWithoutIsolation() {
    var spoiled = Healthy()
    spoiled.domain.policy.fifoPriority = 1
    #expect(spoiled.titles == [])
    spoiled.domain.policy.isolation = .none
    #expect(
      spoiled.titles.contains(
        "warning scheduler: win has real-time vCPUs on CPUs that the host works on as well"))
    spoiled.domain.policy.fifoPriority = nil
    spoiled.domain.domain.scheduledVCPUs = [0, 1]
    #expect(spoiled.titles.contains { $0.contains("scheduler") })
  }

  @Test func findsFreeMemoryInPieces() {
    var spoiled = Healthy()
    spoiled.host.installation.freeBlocks = [0: 30_000, 1: 8191]
    #expect(
      spoiled.titles == [
        "note fragmentation: node 1 has 8191 pieces of 2 MiB free, and win wants 8192"
      ])
    spoiled.host.topology.nodes[1].pools[0].free = 1
    #expect(spoiled.titles == [])
  }

  @Test func findsGigabytePagesThatAreNotReserved() {
    var spoiled = Healthy()
    spoiled.host.installation.hugetlbfsKiB = [1 << 20]
    spoiled.domain.domain.cells[0].pageKiB = 1 << 20
    spoiled.host.topology.nodes[1].pools = [
      PoolFacts(pageKiB: 1 << 20, total: 4, free: 4, surplus: 0)
    ]
    #expect(
      spoiled.titles == [
        "warning fragmentation: win wants 12 pages of 1 GiB that are not reserved"
      ])
    #expect(spoiled.findings[0].fix == "boot with hugepagesz=1G hugepages=1:16")
  }

  @Test func findsDisksWithoutAnIOThread() {
    var spoiled = Healthy()
    spoiled.domain.machine.disks = [
      GuestDisk(name: "vda", canHaveIOThread: true, hasIOThread: false),
      GuestDisk(name: "vdb", canHaveIOThread: true, hasIOThread: true),
      GuestDisk(name: "sda", canHaveIOThread: false, hasIOThread: false),
    ]
    #expect(spoiled.titles == ["note disk-iothread: vda of win has no iothread"])
  }

  @Test func findsANarrowAndASlowLink() throws {
    var spoiled = Healthy()
    try spoiled.addCard()
    spoiled.domain.functions[0].link?.width = 4
    #expect(spoiled.titles == ["warning link: 0000:41:00.0 runs at PCIe x4 of x16"])
    #expect(spoiled.findings[0].consequence == "it has 25 % of its bandwidth")
    spoiled.domain.functions[0].link?.width = 16
    spoiled.domain.functions[0].link?.speed = "2.5 GT/s PCIe"
    #expect(spoiled.titles == ["note link: the link of 0000:41:00.0 is slower than it could be"])
  }

  @Test(arguments: [
    ("pc-q35-10.0", GuestPlace.bus(5), nil),
    ("pc-q35-10.0", .bus(0), "as a part of the chipset, without a link"),
    ("pc-q35-10.0", .bus(6), "behind a pcie-to-pci-bridge"),
    ("pc-q35-10.0", .conventional, "behind plain PCI"),
    ("pc-i440fx-9.0", .bus(0), "behind plain PCI"),
    ("pc", .conventional, "behind plain PCI"),
    ("pc-q35-3.1", .bus(5), "behind a port of one slow lane"),
    ("q35", .bus(5), nil),
  ])
  func findsACardThatTheGuestSeesWithoutItsLink(
    type: String, place: GuestPlace, words: String?
  ) throws {
    var spoiled = Healthy()
    try spoiled.addCard()
    spoiled.domain.machine.type = type
    spoiled.domain.machine.buses[6] = "pcie-to-pci-bridge"
    spoiled.domain.machine.places[spoiled.domain.functions[0].address] = place
    #expect(
      spoiled.titles == (words.map { ["warning guest-bus: win sees 0000:41:00.0 \($0)"] } ?? []))
  }

  @Test func findsWhatAWindowsIsNotTold() {
    var spoiled = Healthy()
    spoiled.domain.machine.isWindows = true
    spoiled.domain.machine.enlightenments.names = ["relaxed", "vapic", "spinlocks"]
    #expect(
      spoiled.titles == [
        "warning enlightenments: win (Windows) lacks these Hyper-V enlightenments: vpindex, runtime, synic, "
          + "stimer, frequencies, tlbflush, ipi, hypervclock"
      ])
    #expect(spoiled.findings[0].fix.contains("<vpindex state='on'/>"))
    #expect(spoiled.findings[0].fix.contains("hypervclock"))
    spoiled.domain.machine.enlightenments.areAllOn = true
    spoiled.domain.machine.enlightenments.hasClock = true
    #expect(spoiled.titles == [])
  }
}
