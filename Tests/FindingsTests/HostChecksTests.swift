import HostModel
import Testing

@testable import Findings

/// What is found on hosts that something is wrong with.
struct HostChecksTests {
  @Test func findsNothingWhereNothingIsWrong() throws {
    for hypervisor in [Hypervisor.libvirt, .proxmox] {
      var healthy = Healthy(hypervisor)
      #expect(healthy.titles == [])
      try healthy.addCard()
      #expect(healthy.titles == [])
    }
  }

  @Test func everyCheckHasANameOfItsOwn() {
    let names =
      CheckCatalog.ofHosts.map { type(of: $0).name }
      + CheckCatalog.ofDomains.map { type(of: $0).name }
    #expect(Set(names).count == names.count)
  }

  @Test func tellsTheWorstFirst() throws {
    var spoiled = Healthy()
    try spoiled.addCard()
    spoiled.host.installation.iommuGroups = 0
    spoiled.domain.machine.disks[0].hasIOThread = false
    spoiled.domain.domain.emulatorPin = [5]
    #expect(spoiled.findings.map(\.severity) == [.error, .warning, .note])
    #expect(spoiled.findings.map(\.domain) == [nil, "win", "win"])
  }

  @Test(arguments: [
    (CPUVendor.intel, [], "intel_iommu=on iommu=pt"),
    (.intel, ["intel_iommu=off"], "take intel_iommu=off off"),
    (.amd, [], "AMD-Vi"),
    (nil, [], "SMMU"),
  ])
  func saysHowToSwitchTheIOMMUOn(vendor: CPUVendor?, parameters: [String], fix: String) throws {
    var spoiled = Healthy()
    spoiled.host.installation.iommuGroups = 0
    spoiled.host.topology.cpuVendor = vendor
    spoiled.host.installation.bootParameters = parameters.map { parameter in
      let parts = parameter.split(separator: "=")
      return BootParameter(name: String(parts[0]), value: String(parts[1]))
    }
    #expect(spoiled.titles == ["note iommu: the host has no IOMMU, or has not switched it on"])
    #expect(spoiled.findings[0].fix.contains(fix))
    try spoiled.addCard()
    #expect(spoiled.findings[0].severity == .error)
    #expect(spoiled.findings[0].consequence.contains("win"))
  }

  @Test(arguments: [
    (
      MissingRepair.file("/usr/lib/udev/rules.d/90-berth.rules"),
      "nothing repairs what the kernel changes by itself"
    ),
    (.enabling(unit: "berth-reconcile.path"), "berth-reconcile.path is not enabled"),
  ])
  func findsThatNothingRepairs(missing: MissingRepair, title: String) {
    var spoiled = Healthy()
    spoiled.host.installation.missingRepair = missing
    #expect(spoiled.titles == ["warning repair: \(title)"])
    #expect(spoiled.findings[0].consequence.contains("win"))
    spoiled.domain.isTuned = false
    #expect(spoiled.titles == [])
  }

  @Test func findsThatLibvirtDoesNotRunBerth() {
    var spoiled = Healthy()
    spoiled.host.installation.hooks = []
    #expect(spoiled.titles == ["warning hook: libvirt does not run Berth"])
    #expect(spoiled.findings[0].fix.contains("ln -s /usr/sbin/berth /etc/libvirt/hooks/qemu &&"))
    // Another program stands there: Berth goes beside it.
    spoiled.host.installation.hooks = [
      HookFile(path: "/etc/libvirt/hooks/qemu", target: "/usr/local/bin/other")
    ]
    #expect(spoiled.titles == ["warning hook: libvirt does not run Berth"])
    #expect(spoiled.findings[0].evidence[0].value == "leads to /usr/local/bin/other")
    #expect(spoiled.findings[0].fix.contains("/etc/libvirt/hooks/qemu.d/berth"))
    spoiled.domain.isTuned = false
    #expect(spoiled.findings[0].severity == .note)
    spoiled.host.installation.hasLibvirt = false
    spoiled.host.installation.hasProxmox = true
    #expect(spoiled.titles == [])
  }

  @Test func findsAHookThatCannotBeRun() {
    var spoiled = Healthy()
    spoiled.host.installation.hooks[0].objection = "is not a program"
    #expect(
      spoiled.titles == [
        "error hook: /etc/libvirt/hooks/qemu is not run: it is not a program"
      ])
  }

  @Test func findsAHookThatIsRunTwice() {
    var spoiled = Healthy()
    spoiled.host.installation.hooks.append(
      HookFile(path: "/etc/libvirt/hooks/qemu.d/berth", target: "/usr/sbin/berth"))
    #expect(spoiled.titles == ["warning hook: libvirt runs Berth 2 times for each step"])
    #expect(spoiled.findings[0].fix == "rm /etc/libvirt/hooks/qemu.d/berth")
  }

  @Test(arguments: [
    ("/usr/local/sbin/berth", 1), ("/opt/berth", 1), ("/usr/sbin/berth", 0),
    ("/etc/libvirt/hooks/qemu.d/berth", 0),
  ])
  func findsWhatAppArmorForbids(target: String, count: Int) {
    var spoiled = Healthy()
    spoiled.host.installation.confinesByAppArmor = true
    spoiled.host.installation.hooks[0].target = target
    #expect(spoiled.findings.count { $0.severity == .error } == count)
  }

  @Test func warnsOfSELinux() {
    var spoiled = Healthy()
    spoiled.host.installation.enforcesSELinux = true
    #expect(spoiled.titles == ["warning hook: SELinux may keep libvirt from running Berth"])
  }

  @Test func findsThatHugetlbfsIsNotMounted() {
    var spoiled = Healthy()
    spoiled.domain.domain.cells[0].pageKiB = 1 << 20
    spoiled.host.topology.nodes[1].pools = [
      PoolFacts(pageKiB: 1 << 20, total: 16, free: 16, surplus: 0)
    ]
    #expect(spoiled.titles == ["error hugetlbfs: hugetlbfs is not mounted for pages of 1 GiB"])
    #expect(spoiled.findings[0].fix.contains("/dev/hugepages1G hugetlbfs pagesize=1G"))
    spoiled.domain.machine.usesMemfd = true
    #expect(spoiled.titles == [])
    spoiled.domain.machine.usesMemfd = false
    spoiled.host.installation.hugetlbfsKiB.append(1 << 20)
    #expect(spoiled.titles == [])
  }

  @Test func takesTheDefaultSizeForOneThatIsNotGiven() {
    var spoiled = Healthy()
    spoiled.domain.domain.cells[0].pageKiB = 0
    #expect(spoiled.titles == [])
    spoiled.host.installation.hugetlbfsKiB = []
    #expect(spoiled.titles == ["error hugetlbfs: hugetlbfs is not mounted for pages of 2 MiB"])
  }

  @Test func findsABootReservationOnTheWrongNode() {
    var spoiled = Healthy()
    spoiled.host.installation.bootParameters = [BootParameter(name: "hugepages", value: "8192")]
    for node in 0..<2 {
      spoiled.host.topology.nodes[node].pools = [
        PoolFacts(pageKiB: 2048, total: 4096, free: 4096, surplus: 0)
      ]
    }
    #expect(
      spoiled.titles == [
        "warning boot-reservation: pages of 2 MiB are reserved on nodes where no VM asks for "
          + "them"
      ])
    #expect(spoiled.findings[0].fix.contains("hugepages=1:8192 instead of hugepages=8192"))
    // One that names its nodes was thought about.
    spoiled.host.installation.bootParameters = [
      BootParameter(name: "hugepages", value: "0:4096,1:4096")
    ]
    #expect(spoiled.titles == [])
  }

  @Test func findsAnIrqbalanceThatCannotBeTold() {
    var spoiled = Healthy()
    let process = ProcessIdentity(pid: 812, startTime: 1)
    spoiled.host.balancers = [BalancerFacts(process: process, answers: true)]
    #expect(spoiled.titles == [])
    spoiled.host.balancers = [BalancerFacts(process: process, answers: false)]
    #expect(
      spoiled.titles == [
        "warning irqbalance: irqbalance runs and cannot be told which CPUs to leave alone"
      ])
    #expect(spoiled.findings[0].fix.contains("IRQBALANCE_BANNED_CPULIST=5-6,13-14"))
    spoiled.domain.policy.isolation = .none
    #expect(spoiled.titles.filter { $0.contains("irqbalance") } == [])
  }

  @Test func findsAnIrqbalanceThatPolicyKeepsFromBeingTold() {
    var spoiled = Healthy()
    spoiled.domain.policy.interrupts.move = .never
    spoiled.host.balancers = [
      BalancerFacts(process: ProcessIdentity(pid: 812, startTime: 1), answers: true)
    ]
    #expect(
      spoiled.titles == ["warning irqbalance: irqbalance moves interrupts onto the vCPUs of win"])
  }

  @Test func findsWhatTheKernelDoesToOrdinaryMemory() throws {
    var spoiled = Healthy()
    spoiled.host.installation.swaps = ["/dev/sda2"]
    spoiled.host.installation.ksm = "1"
    spoiled.host.installation.numaBalancing = "1"
    #expect(spoiled.titles == [])
    spoiled.domain.domain.cells[0].pageKiB = nil
    spoiled.domain.domain.cells[0].memoryKiB = 4 << 20
    #expect(
      spoiled.titles == [
        "warning memory-habits: the host may swap out memory of win",
        "warning memory-habits: KSM merges memory of win with that of others",
        "note memory-habits: the kernel looks where win use their memory",
      ])
    var locked = spoiled
    locked.domain.machine.locksMemory = true
    #expect(locked.titles == [])
    try spoiled.addCard()
    #expect(spoiled.titles == [])
  }

  @Test func findsTwoDomainsOnOneCPU() {
    var spoiled = Healthy()
    var second = Healthy(name: "second").domain
    second.pins = [0: [6], 1: [7]]
    second.domain.vcpus = 2
    spoiled.host.domains.append(second)
    #expect(
      spoiled.titles.contains("note shared-cpus: win and second are both pinned to CPU 6"))
    spoiled.domain.isRunning = true
    spoiled.domain.isIn = true
    spoiled.host.domains[1].isRunning = true
    #expect(
      spoiled.titles.contains("warning shared-cpus: win and second are both pinned to CPU 6"))
    spoiled.host.domains[1].pins = [0: [0], 1: [1]]
    #expect(!spoiled.titles.contains { $0.contains("shared-cpus") })
  }

  @Test func findsWhoCannotStartBesideAnother() {
    var spoiled = Healthy()
    var other = Healthy(name: "web").domain
    other.domain.vcpuPins = [0: [0]]
    other.domain.emulatorPin = [6]
    other.domain.iothreadPins = [:]
    other.pins = [0: [0]]
    other.policy.isolation = .none
    spoiled.host.domains.append(other)
    func found() -> [Finding] { spoiled.findings.filter { $0.check == "kept-out" } }
    #expect(found().map(\.title) == ["web cannot start while win has a partition"])
    #expect(found().map(\.severity) == [.note])
    #expect(found().first?.consequence == "Berth refuses its start")
    spoiled.host.domains[1].startsWithHost = true
    #expect(found().map(\.severity) == [.warning])
    spoiled.domain.policy.cpu.contested = .yield
    #expect(found().isEmpty)
    spoiled.host.installation.hooks = []
    #expect(found().first?.consequence.contains("“Invalid argument”") == true)
    spoiled.host.domains[1].domain.emulatorPin = [4, 6]
    #expect(found().isEmpty)
  }

  @Test func findsWhatIsWrongInThePolicyAndWhomItIsNotFor() {
    var spoiled = Healthy()
    spoiled.host.policyErrors = [
      Remark(place: "berth.toml:1:12", value: nil, sentence: "expected a value, found “=”")
    ]
    spoiled.host.strayPolicySections = [
      Remark(
        place: "berth.toml:3", value: "[vm.\"x\"]", sentence: "[vm.\"x\"] is for no VM of this host"
      )
    ]
    #expect(
      spoiled.titles == [
        "error policy: expected a value, found “=”",
        "warning policy: [vm.\"x\"] is for no VM of this host",
      ])
    #expect(spoiled.findings[0].evidence.map(\.place) == ["berth.toml:1:12"])
  }

  @Test func findsAHostWithoutAHypervisor() {
    var spoiled = Healthy()
    spoiled.host.installation.hasLibvirt = false
    #expect(spoiled.titles.contains("note hypervisor: neither libvirt nor Proxmox VE is installed"))
    spoiled.host.installation.hasProxmox = true
    #expect(!spoiled.titles.contains { $0.contains("hypervisor:") })
  }
}
