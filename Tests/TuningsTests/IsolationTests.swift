import HostModel
import Testing

@testable import Tunings

struct IsolationTests {
  private let tuning = Isolation()

  private func host(kernel minor: Int = 12, canPartition: Bool = true) -> HostFacts {
    var host = Sample.host
    host.kernel = KernelVersion(major: 6, minor: minor)
    var process = QEMUFacts.expected(for: Sample.domain)
    process.canPartition = canPartition
    host.process = process
    return host
  }

  private func policy(_ isolation: Policy.Isolation) -> Policy {
    var policy = Policy()
    policy.isolation = isolation
    return policy
  }

  private func rival(on cpus: CPUList) -> Neighbour {
    Neighbour(holder: HolderID(hypervisor: .libvirt, id: "r"), name: "rival", vcpuCPUs: cpus)
  }

  @Test func givesEachVCPUAPartitionWithItsCPUsNamedFromTheTop() {
    let changes = Sample.plan(tuning, .started, on: host()).changes
    let scope = "/sys/fs/cgroup/machine.slice/machine-qemu\\x2dN\\x2dwin10.scope"
    func exclusive(_ group: String) -> Setting {
      .attribute(path: group + "/cpuset.cpus.exclusive", .cpuList)
    }
    func partition(_ vcpu: Int) -> Setting {
      .attribute(path: "\(scope)/libvirt/vcpu\(vcpu)/cpuset.cpus.partition", .text)
    }
    #expect(
      changes.map(\.setting) == [
        exclusive("/sys/fs/cgroup/machine.slice"), exclusive(scope), exclusive(scope + "/libvirt"),
        exclusive(scope + "/libvirt/vcpu0"), partition(0), exclusive(scope + "/libvirt/vcpu1"),
        partition(1),
      ])
    #expect(
      changes.map(\.claim) == [
        .withCPUs([4, 12]), .withCPUs([4, 12]), .withCPUs([4, 12]), .withCPUs([4]),
        .exactly(.text("isolated")), .withCPUs([12]), .exactly(.text("isolated")),
      ])
  }

  @Test(arguments: [1, 10, 12])
  func confinesEverybodyElseWhereNoGroupCanNameCPUsOfItsOwn(minor: Int) throws {
    let plan = Sample.plan(tuning, .started, on: host(kernel: minor, canPartition: false))
    #expect(
      plan.changes.map(\.setting)
        == ["init.scope", "system.slice", "user.slice"].map { .allowedCPUs(unit: $0) })
    #expect(
      plan.changes.allSatisfy { $0.claim == .withoutCPUs([4, 12], all: CPUList(0...15)) })
    let ladder = try #require(plan.ladders.first)
    #expect(ladder.rungs.map(\.name) == ["slices"])
    #expect(ladder.misses.map(\.name) == ["vCPU partitions", "VM partition"])
  }

  @Test(arguments: [6, 7])
  func whatTheKernelMayRefuseIsNotLookedUpByItsVersion(major: Int) throws {
    var host = host()
    host.kernel = KernelVersion(major: major, minor: 8)
    let ladder = try #require(Sample.plan(tuning, .started, on: host).ladders.first)
    // Nothing pins the emulator, so that no partition can hold all threads.
    #expect(ladder.rungs.map(\.name) == ["vCPU partitions", "slices"])
  }

  @Test func policyChoosesTheMechanism() {
    let slices = Sample.plan(tuning, .started, policy: policy(.slices), on: host())
    #expect(slices.changes.count == 3)
    #expect(
      Sample.plan(tuning, .started, policy: policy(.none), on: host()) == Plan(phase: .started))
    let old = Sample.plan(
      tuning, .started, policy: policy(.partition), on: host(canPartition: false))
    #expect(old.changes.isEmpty && old.warnings.count == 1)
    #expect(old.ladders.first?.rungs == [])
  }

  @Test(
    arguments: [
      [0: [4], 1: [4]], [0: CPUList([4, 5]), 1: [6, 7]], [:], [0: [4, 5], 1: [5]],
    ] as [[Int: CPUList]])
  func sharedAndRangePinsStayShared(pins: [Int: CPUList]) {
    var domain = Sample.domain
    domain.vcpuPins = pins
    for phase in Phase.allCases {
      var plan = Sample.plan(tuning, phase, domain: domain, on: host())
      #expect(plan.notes.isEmpty == (pins.isEmpty || phase != .started && phase != .reconnect))
      plan.notes = []
      #expect(plan == Plan(phase: phase))
      #expect(Sample.needs(tuning, phase, domain: domain) == FactNeeds())
    }
  }

  @Test func whoAsksByNameHasTheCPUsOfAllPins() {
    var domain = Sample.domain
    domain.vcpuPins = [0: [4, 5], 1: [5, 12]]
    let slices = Sample.plan(
      tuning, .started, domain: domain, policy: policy(.slices), on: host())
    #expect(slices.changes.count == 3)
    #expect(
      slices.changes.allSatisfy { $0.claim == .withoutCPUs([4, 5, 12], all: CPUList(0...15)) })
    for isolation in [Policy.Isolation.slices, .partition] {
      #expect(
        Sample.plan(tuning, domain: domain, policy: policy(isolation), on: host()).refusals == [])
    }
    var shared = host()
    shared.neighbours = [rival(on: [5, 6])]
    #expect(
      Sample.plan(tuning, domain: domain, policy: policy(.slices), on: shared).refusals
        .map(\.description) == ["win10 is not isolated on CPUs 5: rival is there as well"])
    domain.vcpuPins = [:]
    let demanded = Sample.plan(tuning, domain: domain, policy: policy(.slices), on: host())
    #expect(
      demanded.refusals.map(\.description) == [
        "win10 cannot be isolated: vCPUs 0-1 of win10 have no CPUs to themselves: not pinned"
      ])
  }

  @Test func vCPUsThatStandAloneAreIsolatedBesideOthersThatShare() throws {
    var domain = Sample.domain
    domain.vcpus = 4
    domain.vcpuPins = [0: [0, 1, 2, 3], 1: [5], 2: [13]]
    var host = host()
    host.process = .expected(for: domain)
    let plan = Sample.plan(tuning, .started, domain: domain, on: host)
    let partitions = plan.changes.filter { $0.claim == .exactly(.text("isolated")) }
    #expect(
      partitions.map(\.reason).map { $0.suffix(15) } == ["vCPU 1 of win10", "vCPU 2 of win10"])
    #expect(plan.ladders.first?.rungs.map(\.name) == ["vCPU partitions", "slices"])
    #expect(
      plan.notes.prefix(2) == [
        "vCPU 0 of win10 has no CPU to itself: pinned to CPUs 0-3",
        "vCPU 3 of win10 has no CPU to itself: not pinned",
      ])
    #expect(Sample.plan(tuning, domain: domain, on: host).warnings == [])
  }

  @Test func vCPUsThatAreOffAreNotMissed() throws {
    var domain = Sample.domain
    domain.vcpus = 6
    domain.offVCPUs = [2, 3]
    domain.vcpuPins = [0: [5], 1: [13], 4: [6], 5: [14]]
    domain.emulatorPin = [4, 12]
    domain.iothreadPins = [1: [4, 12]]
    var host = host()
    host.process = .expected(for: domain)
    let plan = Sample.plan(tuning, .started, domain: domain, on: host)
    let partitions = plan.changes.filter { $0.claim == .exactly(.text("isolated")) }
    #expect(
      partitions.map(\.reason).map { $0.suffix(15) } == [0, 1, 4, 5].map { "vCPU \($0) of win10" })
    #expect(
      plan.ladders.first?.rungs.map(\.name) == ["vCPU partitions", "VM partition", "slices"])
    #expect(plan.notes.count == 1)
  }

  @Test func threadsOfItsOwnLeaveTheCPUsOfVCPUs() throws {
    var domain = Sample.domain
    domain.commonPin = [4, 5, 12]
    domain.iothreadPins = [1: [0]]
    var host = host()
    host.process = .expected(for: domain)
    let first = try #require(
      Sample.plan(tuning, .started, domain: domain, on: host).changes.first)
    #expect(
      first.setting
        == .cpuset(group: "machine.slice/machine-qemu\\x2dN\\x2dwin10.scope/libvirt/emulator"))
    #expect(first.claim == .withoutCPUs([4, 12], all: CPUList(0...15)))
  }

  @Test func aThreadThatHasNowhereElseToRunMakesItOnePartition() throws {
    var domain = Sample.domain
    domain.vcpus = 3
    domain.vcpuPins = [0: [4], 1: [12], 2: [5]]
    domain.emulatorPin = [4, 12]
    domain.iothreadPins = [1: [0]]
    var host = host()
    host.process = .expected(for: domain)
    let ladder = try #require(
      Sample.plan(tuning, .started, domain: domain, on: host).ladders.first)
    #expect(ladder.rungs.map(\.name) == ["VM partition", "partitions of some vCPUs", "slices"])
    #expect(
      ladder.misses == [
        Miss("vCPU partitions", because: "emulator may run on CPUs 4,12 only, as vCPUs do")
      ])
    #expect(ladder.rungs[0].changes.last?.claim == .exactly(.text("root")))
    #expect(ladder.rungs[0].changes.first?.claim == .withCPUs([0, 4, 5, 12]))
    let some = ladder.rungs[1].changes.filter { $0.claim == .exactly(.text("isolated")) }
    #expect(some.map(\.reason) == ["reserves CPU 5 for vCPU 2 of win10"])
  }

  @Test func whatWasTriedInVainIsNotTriedAgainForTheSameRun() throws {
    var request = Request(domain: Sample.domain, phase: .started, policy: Policy())
    let miss = Miss("vCPU partitions", because: "the kernel refuses it")
    request.attained = [Attainment("isolation", rung: "slices", misses: [miss])]
    let ladder = try #require(tuning.plan(request, on: host()).ladders.first)
    #expect(ladder.rungs.map(\.name) == ["slices"])
    #expect(ladder.misses.contains(miss))
    #expect(tuning.cpusOfSlices(of: request, on: host()) == [4, 12])
    #expect(KernelThreads().needs(for: request).kernelWork == .always)
  }

  @Test func cpusetsOfCgroupV1AreNotSilentlyNothing() {
    var host = host()
    host.cpusets = .legacy
    #expect(Sample.plan(tuning, on: host).warnings.count == 1)
    #expect(Sample.plan(tuning, policy: policy(.slices), on: host).refusals.count == 1)
    let plan = Sample.plan(tuning, .started, on: host)
    #expect(plan.changes.isEmpty && plan.ladders.first?.misses.count == 1)
    #expect(plan.warnings.count == 1)
  }

  @Test func aVCPUThatSharesItsCPUWithAnotherDomainIsNotIsolated() {
    var host = host()
    host.neighbours = [rival(on: [12, 13])]
    let started = Sample.plan(tuning, .started, on: host)
    #expect(
      started.changes.filter { $0.claim == .exactly(.text("isolated")) }.map(\.reason)
        == ["reserves CPU 4 for vCPU 0 of win10"])
    #expect(
      Sample.plan(tuning, on: host).warnings
        == ["vCPU 1 of win10 is not isolated: rival is on CPU 12 as well"])
    let demanded = Sample.plan(tuning, policy: policy(.partition), on: host)
    #expect(demanded.refusals.count == 1)
  }

  @Test func aVCPUWhoseCPUIsNotOnlineIsNotIsolated() {
    var host = host()
    host.onlineCPUs = CPUList(0...7)
    #expect(
      Sample.plan(tuning, .started, on: host).changes.count {
        $0.claim == .exactly(.text("isolated"))
      } == 1)
    let plan = Sample.plan(tuning, on: host)
    #expect(plan.warnings == ["vCPU 1 of win10 is not isolated: CPU 12 is not online"])
  }

  @Test func thatNoCPUIsLeftToTheHostIsRefusedWhereIsolationIsDemanded() {
    var host = host()
    host.onlineCPUs = [4, 12]
    #expect(Sample.plan(tuning, policy: policy(.slices), on: host).refusals.count == 1)
    #expect(Sample.plan(tuning, on: host).refusals.isEmpty)
    host.onlineCPUs = [2, 4, 12]
    host.neighbours = [rival(on: [2])]
    #expect(Sample.plan(tuning, policy: policy(.slices), on: host).refusals.count == 1)
  }
}
