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

  @Test(arguments: [(1, true), (10, true), (12, false)])
  func confinesTheHostsUnitsWhereThereAreNoRemotePartitions(minor: Int, canPartition: Bool) {
    let changes = Sample.plan(
      tuning, .started, on: host(kernel: minor, canPartition: canPartition)
    ).changes
    #expect(
      changes.map(\.setting)
        == ["init.scope", "system.slice", "user.slice"].map { .allowedCPUs(unit: $0) })
    #expect(
      changes.allSatisfy { $0.claim == .withoutCPUs([4, 12], all: CPUList(0...15)) })
  }

  @Test func policyChoosesTheMechanism() {
    let slices = Sample.plan(tuning, .started, policy: policy(.slices), on: host())
    #expect(slices.changes.count == 3)
    #expect(
      Sample.plan(tuning, .started, policy: policy(.none), on: host()) == Plan(phase: .started))
    let old = Sample.plan(tuning, .started, policy: policy(.partition), on: host(kernel: 1))
    #expect(old.changes.isEmpty && old.warnings.count == 1)
  }

  @Test(arguments: [
    [0: CPUList([4])], [0: [4], 1: [4]], [0: [4, 5], 1: [6]], [:],
  ])
  func sharedAndRangePinsStayShared(pins: [Int: CPUList]) {
    var domain = Sample.domain
    domain.vcpuPins = pins
    for phase in Phase.allCases {
      #expect(Sample.plan(tuning, phase, domain: domain, on: host()) == Plan(phase: phase))
      #expect(Sample.needs(tuning, phase, domain: domain) == FactNeeds())
    }
    let demanded = Sample.plan(tuning, domain: domain, policy: policy(.slices), on: host())
    #expect(demanded.refusals.count == 1)
  }

  @Test func aDomainThatSharesCPUsWithAnotherIsNotIsolated() {
    var host = host()
    host.neighbours = [rival(on: [12, 13])]
    #expect(Sample.plan(tuning, .started, on: host).changes.isEmpty)
    let plan = Sample.plan(tuning, on: host)
    #expect(plan.warnings.count == 1 && plan.warnings[0].contains("shares CPU 12 with rival"))
    let demanded = Sample.plan(tuning, policy: policy(.partition), on: host)
    #expect(demanded.refusals.count == 1)
  }

  @Test func aDomainPinnedToCPUsThatAreNotOnlineIsNotIsolated() {
    var host = host()
    host.onlineCPUs = CPUList(0...7)
    #expect(Sample.plan(tuning, .started, on: host).changes.isEmpty)
    let plan = Sample.plan(tuning, on: host)
    #expect(plan.warnings == ["win10 cannot be isolated: CPUs 12 are not online"])
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
