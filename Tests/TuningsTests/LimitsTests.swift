import HostModel
import Testing

@testable import Tunings

/// What no VM gets, whatever its configuration says: pages, CPUs, and bridges of the host.
struct LimitsTests {
  private func policy(_ change: (inout Policy) -> Void) -> Policy {
    var policy = Policy()
    change(&policy)
    return policy
  }

  private func domain(pages: Int, on node: Int = 1, size: Int = 2048) -> Domain {
    var domain = Sample.domain
    domain.cells = [
      GuestCell(id: 0, memoryKiB: pages * size, pageKiB: size, hostNodes: [node], mode: .strict)
    ]
    return domain
  }

  /// Of a node of 16 GiB: pages that are there already, pages that are wanted, what the policy keeps in
  /// GiB, and whether they are to be had.
  @Test(arguments: [
    (0, 7936, nil, true), (0, 7937, nil, false), (0, 8192, 0, true), (0, 6144, 4, true),
    (0, 6145, 4, false), (4096, 2048, 4, true), (4096, 2049, 4, false), (8192, 1, nil, false),
  ])
  func pagesStopWhereTheHostsMemoryBegins(there: Int, pages: Int, kept: Int?, isGranted: Bool) {
    var host = Sample.host
    host.nodes[1].pools[0].total = there
    let policy = policy { $0.limits.hostMemoryKiB = kept.map { $0 << 20 } }
    let plan = Sample.plan(
      HugepageReservation(), domain: domain(pages: pages), policy: policy, on: host)
    #expect(plan.refusals.isEmpty == isGranted && plan.changes.isEmpty != isGranted)
    let line = kept.map { "host-memory = \"\($0) GiB\"" } ?? "host-memory = \"auto\""
    #expect(plan.refusals.allSatisfy { $0.description.contains("(\(line) under [limits])") })
    var lenient = policy
    lenient.memory.requiresHugepages = false
    let warned = Sample.plan(
      HugepageReservation(), domain: domain(pages: pages), policy: lenient, on: host)
    #expect(warned.refusals.isEmpty && warned.warnings.isEmpty == isGranted)
  }

  /// Pages that are there need no more memory: whoever reserved them at boot has decided.
  @Test func pagesThatAreThereAreNobodysToRefuse() {
    var host = Sample.host
    host.nodes[1].pools[0] = PoolFacts(pageKiB: 2048, total: 8192, free: 8192, surplus: 0)
    host.hugepageSizes[0] = HugepageSizeFacts(pageKiB: 2048, free: 8192, reserved: 0)
    let plan = Sample.plan(HugepageReservation(), domain: domain(pages: 8192), on: host)
    #expect(plan.refusals.isEmpty && plan.changes.map(\.claim) == [.more(0, need: 8192)])
  }

  /// Two starts at one moment are not let past the limit that each keeps alone.
  @Test(arguments: [(936, true), (937, false)])
  func pagesThatOthersAreStillToObtainCount(pages: Int, isGranted: Bool) {
    var host = Sample.host
    let pool = HugepagePool(node: 1, pageKiB: 2048)
    host.nodes[1].pools[0] = PoolFacts(pageKiB: 2048, total: 1000, free: 1000, surplus: 0)
    host.hugepageSizes[0] = HugepageSizeFacts(pageKiB: 2048, free: 1000, reserved: 0)
    host.neighbours = [
      Neighbour(
        holder: HolderID(hypervisor: .libvirt, id: "r"), name: "r", vcpuCPUs: [],
        pendingPages: [PendingPages(pool: pool, need: 7000, outstanding: 6000)])
    ]
    let plan = Sample.plan(HugepageReservation(), domain: domain(pages: pages), on: host)
    #expect(plan.refusals.isEmpty == isGranted && plan.changes.isEmpty != isGranted)
  }

  @Test func severalSizesOfOneNodeAddUp() {
    var domain = domain(pages: 8, size: 1 << 20)
    domain.cells.append(
      GuestCell(id: 1, memoryKiB: 8 << 20, pageKiB: 2048, hostNodes: [1], mode: .strict))
    #expect(Sample.plan(HugepageReservation(), domain: domain).refusals.isEmpty == false)
    domain.cells[0].hostNodes = [0]
    #expect(Sample.plan(HugepageReservation(), domain: domain).refusals.isEmpty)
  }

  @Test func memoryOfSeveralNodesGoesWhereThereIsRoom() {
    var host = Sample.host
    host.nodes[0].pools[1].total = 10
    var domain = domain(pages: 6144)
    domain.cells[0].hostNodes = nil
    let plan = Sample.plan(
      HugepageReservation(), domain: domain,
      policy: policy { $0.limits.hostMemoryKiB = 4 << 20 }, on: host)
    #expect(plan.refusals.isEmpty)
    #expect(plan.changes.map(\.claim) == [.more(5120, need: 5120), .more(1024, need: 1024)])
  }

  @Test func pagesComeFromNodesThatMayBeClaimedOnly() {
    let policy = policy { $0.limits.nodes = [0] }
    let bound = Sample.plan(HugepageReservation(), domain: domain(pages: 1), policy: policy)
    #expect(bound.changes.isEmpty)
    #expect(
      bound.refusals.map { $0.description.contains("nodes = \"0\" under [limits]") } == [true])
    var free = domain(pages: 1)
    free.cells[0].hostNodes = nil
    let plan = Sample.plan(HugepageReservation(), domain: free, policy: policy)
    #expect(plan.changes.map(\.setting) == [.hugepagePool(HugepagePool(node: 0, pageKiB: 2048))])
    let nowhere = Sample.plan(
      HugepageReservation(), domain: free, policy: self.policy { $0.limits.nodes = [7] })
    #expect(nowhere.changes.isEmpty && nowhere.refusals.count == 1)
  }

  /// The limits, the line that is named, and whether the VM on CPUs 4 and 12 of 0 to 15 is isolated.
  @Test(arguments: [
    (Policy.Limits.with { _ in }, "", true),
    (.with { $0.hostCPUCount = 14 }, "", true),
    (.with { $0.hostCPUCount = 15 }, "host-cpus = 15 under [limits]", false),
    (.with { $0.hostCPUs = [0, 8] }, "", true),
    (.with { $0.hostCPUs = [12, 13] }, "host-cpus = \"12-13\" under [limits]", false),
    (.with { $0.cpus = CPUList(4...15) }, "", true),
    (.with { $0.cpus = CPUList(4...11) }, "cpus = \"4-11\" under [limits]", false),
  ])
  func cpusStayWithTheHost(limits: Policy.Limits, line: String, isIsolated: Bool) {
    var host = Sample.host
    host.process = QEMUFacts.expected(for: Sample.domain)
    for isolation in [Policy.Isolation.auto, .slices] {
      let policy = policy {
        $0.limits = limits
        $0.isolation = isolation
      }
      let started = Sample.plan(Isolation(), .started, policy: policy, on: host)
      // A vCPU on another CPU than those has that to itself all the same.
      let isPartly = !limits.forbidden(among: [4, 12]).isEmpty
      #expect(started.changes.isEmpty != (isIsolated || isPartly))
      let partitions = started.changes.count { $0.claim == .exactly(.text("isolated")) }
      #expect(partitions == (isolation == .slices ? 0 : isIsolated ? 2 : isPartly ? 1 : 0))
      let plan = Sample.plan(Isolation(), policy: policy, on: host)
      let said = plan.warnings + plan.refusals.map(\.description)
      #expect(said.map { $0.contains(line) } == (isIsolated ? [] : [true]), "\(said)")
      #expect(plan.refusals.isEmpty == (isIsolated || isolation == .auto))
    }
  }

  @Test func whatNobodyMayClaimIsNobodysCPU() {
    let policy = policy {
      $0.limits.cpus = CPUList(5...15)
      $0.cpu.governor = "performance"
      $0.interrupts.move = .always
    }
    let request = Request(domain: Sample.domain, phase: .prepare, policy: policy)
    #expect(pinnedCPUs(of: request) == [12] && isPinnedBeyondLimits(request))
    let started = Request(domain: Sample.domain, phase: .started, policy: policy)
    #expect(Planner.needs(for: started).frequencyCPUs == [12])
  }

  @Test func whoNeverWantedACPUAloneIsToldNothing() {
    var domain = Sample.domain
    domain.vcpuPins = [0: CPUList(0...15), 1: CPUList(0...15)]
    let policy = policy { $0.limits.cpus = CPUList(5...15) }
    let request = Request(domain: domain, phase: .prepare, policy: policy)
    #expect(pinnedCPUs(of: request) == [] && !isPinnedBeyondLimits(request))
    #expect(Sample.plan(Isolation(), domain: domain, policy: policy) == Plan(phase: .prepare))
  }

  @Test func affinityIsDividedWithoutTheHostsCPUs() {
    var domain = Domain(hypervisor: .proxmox, name: "web", id: "100", vcpus: 2)
    domain.proxmox = ProxmoxOptions(onlineVCPUs: 2)
    domain.proxmox?.affinity = [0, 1, 2, 3]
    let cores = (0...7).map { CPUList([$0, $0 + 8]) }
    let policy = policy { $0.limits.hostCPUs = [0, 1] }
    let pins = AutomaticPins.pins(for: domain, cores: cores, taken: [], under: policy)
    #expect(pins?.vcpus == [0: [2], 1: [3]] && pins?.emulator == nil)
    domain.vcpus = 3
    #expect(AutomaticPins.pins(for: domain, cores: cores, taken: [], under: policy) == nil)
  }

  /// A class, and whether the function is handed over.
  @Test(arguments: [
    (0x060400, false), (0x060000, false), (0x060100, false), (0x060401, false), (0x060700, false),
    (0x060940, false), (0x068000, true), (0x030000, true), (0x020000, true), (0x000600, true),
  ])
  func noBridgeIsHandedToAnybody(classCode: Int, isHanded: Bool) {
    var function = Sample.function
    function.classCode = classCode
    var host = Sample.host
    host.functions = [function]
    var domain = Sample.domain
    domain.functions = [
      PassedFunction(address: function.address, isManaged: false, kind: .hostdev)
    ]
    let policy = policy { $0.pci.forced = [function.address] }
    for phase in [Phase.prepare, .start] {
      let plan = Sample.plan(PCIBinding(), phase, domain: domain, policy: policy, on: host)
      let isRefused = plan.refusals.contains {
        $0.description.contains("which is a bridge of the host")
      }
      #expect(isRefused != isHanded && (isHanded || plan.changes.isEmpty))
      #expect(phase == .start || plan.refusals.isEmpty == isHanded)
    }
    domain.functions[0].isManaged = true
    let plan = Sample.plan(PCIBinding(), domain: domain, policy: policy, on: host)
    #expect(plan.changes.isEmpty && plan.refusals.isEmpty == isHanded)
  }
}

extension Policy.Limits {
  fileprivate static func with(_ change: (inout Policy.Limits) -> Void) -> Policy.Limits {
    var limits = Policy.Limits()
    change(&limits)
    return limits
  }
}

/// What other VMs' pins mean for the CPUs of the host.
struct NeighboursCPUsTests {
  private func host(isolated: CPUList) -> HostFacts {
    var host = Sample.host
    host.process = QEMUFacts.expected(for: Sample.domain)
    let id = HolderID(hypervisor: .libvirt, id: "r")
    var rival = Neighbour(
      holder: id, name: "r", vcpuCPUs: CPUList(0...15).subtracting([4, 12]))
    rival.isolatedCPUs = isolated
    host.neighbours = [rival]
    return host
  }

  @Test func whoIsOnlyPinnedLeavesItsCPUsToTheHost() {
    let all = CPUList(0...15).subtracting([4, 12])
    let shared = host(isolated: [])
    #expect(Sample.plan(Isolation(), .started, on: shared).changes.isEmpty == false)
    #expect(Sample.plan(Isolation(), on: shared).warnings == [])
    #expect(shared.housekeepingCPUs(without: [4, 12]) == all)
    let taken = host(isolated: all)
    #expect(Sample.plan(Isolation(), .started, on: taken).changes.isEmpty)
    #expect(Sample.plan(Isolation(), on: taken).warnings.count == 1)
  }
}
