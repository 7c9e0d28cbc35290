import HostModel
import Testing

@testable import Tunings

/// What the tunings make of the ways of Proxmox.
struct ProxmoxTests {
  private var domain: Domain {
    var domain = Domain(hypervisor: .proxmox, name: "win10", id: "100", vcpus: 2)
    domain.proxmox = ProxmoxOptions(onlineVCPUs: 2)
    domain.proxmox?.affinity = [4, 5, 12, 13]
    domain.iothreadIDs = [1]
    domain.cells = [GuestCell(id: 0, memoryKiB: 4 << 20, pageKiB: 2048)]
    return domain
  }

  private func pins(
    _ domain: Domain, taken: CPUList = [], under policy: Policy = Policy()
  ) -> Policy.Pins? {
    AutomaticPins.pins(for: domain, cores: Sample.host.cores, taken: taken, under: policy)
  }

  @Test func aGuestWithoutSMTGetsWholeCoresFirst() throws {
    let pins = try #require(self.pins(domain))
    #expect(pins.vcpus == [0: [4], 1: [5]])
    #expect(pins.emulator == [12, 13] && pins.iothreads == [1: [12, 13]])
  }

  @Test func aGuestWithSMTGetsSiblingsSideBySide() {
    var domain = domain
    domain.proxmox?.guestThreads = 2
    #expect(pins(domain)?.vcpus == [0: [4], 1: [12]])
    var policy = Policy()
    policy.guestThreads = 1
    #expect(pins(domain, under: policy)?.vcpus == [0: [4], 1: [5]])
  }

  @Test func whatPolicySaysStays() throws {
    var policy = Policy()
    policy.pins.emulator = [0]
    let pins = try #require(self.pins(domain, under: policy))
    #expect(pins.emulator == [0] && pins.iothreads == [1: [12, 13]])
  }

  @Test func nothingIsPinnedWhereCPUsAreTooFewOrAnothers() {
    var many = domain
    many.vcpus = 5
    #expect(pins(many) == nil)
    #expect(pins(domain, taken: [12]) == nil)
    var all = domain
    all.vcpus = 4
    #expect(pins(all)?.vcpus.count == 4)
    #expect(pins(all)?.emulator == nil)
  }

  @Test func onlyAnAffinityThatPolicyLeavesAloneIsDivided() {
    func areWanted(_ domain: Domain, _ policy: Policy = Policy()) -> Bool {
      AutomaticPins.areWanted(by: Request(domain: domain, phase: .started, policy: policy))
    }
    #expect(areWanted(domain))
    #expect(!areWanted(Sample.domain))
    var policy = Policy()
    policy.pinsAutomatically = false
    #expect(!areWanted(domain, policy))
    policy = Policy()
    policy.pins.vcpus = [0: [4]]
    #expect(!areWanted(domain, policy))
  }

  @Test func pagesAreReservedWhereProxmoxLooksForThem() {
    var domain = domain
    domain.proxmox?.hugepages = .size(kiB: 2048)
    domain.proxmox?.hugepageParts = [HugepagePart(sizeKiB: 1 << 20, node: 1)]
    let plan = Sample.plan(HugepageReservation(), domain: domain)
    let pool = HugepagePool(node: 1, pageKiB: 2048)
    #expect(plan.changes.map(\.setting) == [.hugepagePool(pool)])
    #expect(plan.changes.map(\.claim) == [.more(512, need: 512)])
  }

  @Test(arguments: [true, false])
  func whatProxmoxDoesToThePoolsIsBookedOnceQEMURuns(keepsThem: Bool) {
    var domain = domain
    domain.proxmox?.hugepages = .size(kiB: 2048)
    domain.proxmox?.hugepageParts = [HugepagePart(sizeKiB: 1 << 20, node: 1)]
    domain.proxmox?.keepsHugepages = keepsThem
    let plan = Sample.plan(HugepageReservation(), .started, domain: domain)
    #expect(plan.poolEvents == [PoolEvent(keepsThem ? .kept : .reset, pageKiB: 2048)])
    #expect(plan.changes.isEmpty)
    #expect(Sample.plan(HugepageReservation(), .started).poolEvents.isEmpty)
  }

  @Test func whatProxmoxBindsIsLentWithItsGroup() throws {
    var domain = domain
    let card = Sample.function.address
    domain.functions = [PassedFunction(address: card, isManaged: true, kind: .hostpci)]
    var host = Sample.host
    var function = Sample.function
    function.groupSiblings = [
      GroupSibling(address: Sample.other, driver: "igb"),
      GroupSibling(address: try #require(PCIAddress("0000:40:01.0")), driver: "pcieport"),
    ]
    host.functions = [function]
    let vfio = Value.driver(DriverBinding(driver: "vfio-pci", override: nil))
    let plan = Sample.plan(PCIBinding(), domain: domain, on: host)
    #expect(plan.changes.map(\.setting) == [.driver(card), .driver(Sample.other)])
    #expect(plan.changes.allSatisfy { $0.claim == .lent(vfio) && !$0.isRequired })
    #expect(plan.refusals.isEmpty)

    var policy = Policy()
    policy.pci.givesBack = false
    #expect(Sample.plan(PCIBinding(), domain: domain, policy: policy, on: host).changes.isEmpty)
  }

  @Test func theScopeBecomesAPartitionOfAllItsThreadsCPUs() {
    var policy = Policy()
    policy.pins.vcpus = [0: [4], 1: [12]]
    policy.pins.emulator = [5]
    policy.pins.iothreads = [1: [13]]
    var host = Sample.host
    host.process = .expected(for: domain)
    let plan = Sample.plan(Isolation(), .started, domain: domain, policy: policy, on: host)
    let scope = "qemu.slice/100.scope"
    let cgroup = "/sys/fs/cgroup/"
    #expect(
      plan.changes.map(\.setting) == [
        .allowedCPUs(unit: scope),
        .attribute(path: cgroup + "qemu.slice/cpuset.cpus.exclusive", .cpuList),
        .attribute(path: cgroup + scope + "/cpuset.cpus.exclusive", .cpuList),
        .attribute(path: cgroup + scope + "/cpuset.cpus.partition", .text),
      ])
    #expect(plan.changes.last?.claim == .exactly(.text("root")))
    #expect(plan.changes[1].claim == .withCPUs([4, 5, 12, 13]))
    #expect(plan.ladders.first?.rungs.map(\.name) == ["VM partition", "slices"])
  }

  @Test func vCPUsThatAreOffNeedNoCPU() {
    var many = domain
    many.vcpus = 8
    many.offVCPUs = CPUList(2...7)
    #expect(pins(many)?.vcpus == [0: [4], 1: [5]])
  }

  @Test(
    arguments: [
      (
        CPUList([4]), 4, [],
        "the 4 vCPUs of win10 share its affinity 4, which has only 1 CPU; qm set 100 --affinity with 4 or "
          + "more: berth advise 100 says which are free"
      ),
      (
        CPUList(14...17), 4, [],
        "the 4 vCPUs of win10 share its affinity 14-17, which has only 2 CPUs; qm set 100 "
          + "--affinity with 4 or more: berth advise 100 says which are free"
      ),
      // A start with none of its CPUs is refused.
      (CPUList(16...31), 4, [], nil),
      (
        CPUList(4...7), 4, [7],
        "the vCPUs of win10 share its affinity 4-7, as rival has CPUs 7 of it; qm set 100 --affinity with "
          + "others: berth advise 100 says which are free"
      ),
      (CPUList(4...7), 4, [], nil),
    ] as [(CPUList, Int, CPUList, String?)])
  func saysWhyAnAffinityIsNotDivided(
    affinity: CPUList, vcpus: Int, taken: CPUList, sentence: String?
  ) {
    var domain = domain
    domain.vcpus = vcpus
    domain.proxmox?.affinity = affinity
    var host = Sample.host
    let rival = HolderID(hypervisor: .proxmox, id: "101")
    host.neighbours = [Neighbour(holder: rival, name: "rival", vcpuCPUs: taken)]
    let plan = Sample.plan(Isolation(), domain: domain, on: host)
    #expect(plan.warnings.filter { !$0.hasPrefix("CPUs") } == (sentence.map { [$0] } ?? []))
  }

  @Test func saysWhatOfAnAffinityIsNotThere() {
    var domain = domain
    domain.proxmox?.affinity = CPUList(12...17)
    var policy = Policy()
    for pins in [[:], [0: CPUList([12]), 1: CPUList([13])]] {
      policy.pins.vcpus = pins
      #expect(
        Sample.plan(Isolation(), domain: domain, policy: policy).warnings
          == ["CPUs 16-17 of affinity of win10 are not online; qm set 100 --affinity 12-15"])
    }
  }

  /// An affinity that is much wider than what its threads need is where they may be, and not their own.
  @Test func aWideAffinityIsAFence() {
    var domain = domain
    domain.vcpus = 2
    domain.proxmox?.affinity = CPUList(0...11)
    let plan = Sample.plan(Isolation(), domain: domain)
    #expect(
      plan.notes == [
        "the 2 vCPUs of win10 may be anywhere in its affinity 0-11, which is too wide to be its own; "
          + "pins.vcpus in its section of the policy file gives each a CPU, and an affinity of 4 CPUs at "
          + "most a partition"
      ])
    var request = Request(domain: domain, phase: .prepare, policy: Policy())
    #expect(!AutomaticPins.divide(request))
    // Pins of policy's are the VM's own, and the rest of the fence is not.
    var policy = Policy()
    policy.pins.vcpus = [0: [4], 1: [5]]
    request.policy = policy
    #expect(pinnedCPUs(of: request) == [4, 5])
    var host = Sample.host
    host.process = .expected(for: domain)
    let started = Sample.plan(Isolation(), .started, domain: domain, policy: policy, on: host)
    #expect(started.ladders.first?.rungs.map(\.name) == ["slices"])
    #expect(
      started.ladders.first?.misses.map(\.reason)
        == ["its affinity 0-11 has more CPUs than are for 2 vCPUs"])
    // Who asks for a partition by name has one.
    policy.isolation = .partition
    let named = Sample.plan(Isolation(), .started, domain: domain, policy: policy, on: host)
    #expect(named.ladders.first?.rungs.map(\.name) == ["VM partition"])
  }

  @Test func anEmulatorAmongTheHostsTasksKeepsTheScopeFromBeingAPartition() {
    var policy = Policy()
    policy.pins.vcpus = [0: [4], 1: [12]]
    policy.pins.emulator = [0]
    var host = Sample.host
    host.process = QEMUFacts.expected(for: domain)
    let plan = Sample.plan(Isolation(), .started, domain: domain, policy: policy, on: host)
    #expect(plan.changes.first?.setting == .allowedCPUs(unit: "init.scope"))

    var whole = domain
    whole.proxmox?.affinity = CPUList(0...15)
    policy.pins.emulator = [5]
    let last = Sample.plan(Isolation(), .started, domain: whole, policy: policy, on: host)
    #expect(last.changes.first?.setting == .allowedCPUs(unit: "init.scope"))
  }

  @Test func theRestOfAffinityIsTheDomainsToo() {
    var policy = Policy()
    policy.pins.vcpus = [0: [4], 1: [12]]
    func cpus() -> CPUList {
      pinnedCPUs(of: Request(domain: domain, phase: .prepare, policy: policy))
    }
    #expect(cpus() == [4, 5, 12, 13])
    policy.pins.vcpus = [0: [4], 1: [0]]
    #expect(cpus() == [0, 4])
    policy.pins.vcpus = [:]
    #expect(cpus() == [])
  }

  @Test func otherDomainsAndContainersStepAsideWhereThereAreNoPartitions() {
    var policy = Policy()
    policy.pins.vcpus = [0: [4], 1: [12]]
    var host = Sample.host
    host.process = QEMUFacts.expected(for: domain)
    host.process?.canPartition = false
    host.units.append(UnitFacts(name: "qemu.slice/101.scope"))
    host.unmanagedGroups = ["lxc"]
    let plan = Sample.plan(Isolation(), .started, domain: domain, policy: policy, on: host)
    #expect(
      plan.changes.map(\.setting) == [
        .allowedCPUs(unit: "init.scope"), .allowedCPUs(unit: "system.slice"),
        .allowedCPUs(unit: "user.slice"), .allowedCPUs(unit: "qemu.slice/101.scope"),
        .cpuset(group: "lxc"),
      ])
    #expect(plan.changes.allSatisfy { $0.claim == .withoutCPUs([4, 12], all: CPUList(0...15)) })
  }
}
