import HostModel
import Testing

@testable import Tunings

/// Which interrupts leave the CPUs of a domain, and which are nobody's business.
struct InterruptsTests {
  private func interrupt(_ number: Int, _ action: String, _ cpus: CPUList) -> InterruptFacts {
    InterruptFacts(number: number, actions: [action], cpus: cpus)
  }

  private var host: HostFacts {
    var host = Sample.host
    host.interrupts.standard = CPUList(0...15)
    host.interrupts.interrupts = [
      interrupt(24, "nvme0q0", CPUList(0...15)), interrupt(25, "nvme0q1", [0, 8]),
      interrupt(40, "eno1-rx-4", [4]), interrupt(60, "vfio-msix[0](0000:41:00.0)", [4, 5]),
      interrupt(61, "vfio-msi[0](0000:42:00.0)", [4, 5]),
    ]
    return host
  }

  private func plan(
    _ move: Policy.Interrupts.Move = .auto, deviceCPUs: CPUList? = nil, on host: HostFacts? = nil,
    isolation: Policy.Isolation = .auto, _ phase: Phase = .started
  ) -> Plan {
    var policy = Policy()
    policy.isolation = isolation
    policy.interrupts.move = move
    policy.interrupts.deviceCPUs = deviceCPUs
    policy.pci.functions = [Sample.function.address]
    return Sample.plan(Interrupts(), phase, policy: policy, on: host ?? self.host)
  }

  private func places(_ plan: Plan) -> [String] {
    plan.changes.map { "\($0.setting)".replacing("/proc/irq/", with: "") }
  }

  @Test func thoseThatMayGoToTheDomainsCPUsLeaveThem() {
    let plan = plan()
    #expect(
      places(plan) == [
        "24/smp_affinity_list", "40/smp_affinity_list", "61/smp_affinity_list",
        "default_smp_affinity",
      ])
    let left = CPUList(0...15).subtracting([4, 12])
    #expect(plan.changes.allSatisfy { $0.claim == .withoutCPUs([4, 12], all: left) })
    #expect(plan.changes[0].reason == "nvme0q0 would interrupt the vCPUs of win10")
    #expect(plan.changes.map { $0.countedAs != nil } == [true, true, true, false])
    #expect(plan.changes.allSatisfy { !$0.isRequired })
    #expect(
      plan.changes.last?.setting == .attribute(path: "/proc/irq/default_smp_affinity", .cpuMask))
    #expect(plan.warnings == [])
  }

  @Test func thoseThatTheKernelLetsNobodyMoveArePassedOver() {
    var host = host
    host.interrupts.interrupts[0].isMovable = false
    #expect(places(plan(on: host)).first == "40/smp_affinity_list")
  }

  @Test func whatIsLeftToTheHostIsNoOtherDomains() {
    var host = host
    host.neighbours = [
      Neighbour(holder: HolderID(hypervisor: .libvirt, id: "r"), name: "r", vcpuCPUs: [5, 13])
    ]
    let left = CPUList(0...15).subtracting([4, 5, 12, 13])
    #expect(plan(on: host).changes.first?.claim == .withoutCPUs([4, 12], all: left))
  }

  @Test func thoseOfTheDomainsOwnFunctionsGoWherePolicySaysWheneverTheyCome() {
    let plan = plan(deviceCPUs: [4])
    #expect(plan.changes[0].setting == .every(.interrupts(of: Sample.function.address)))
    #expect(plan.changes[0].claim == .exactly(.cpus([4])))
    #expect(plan.changes[0].reason == "policy sends the interrupts of win10 there")
    #expect(plan.changes.dropFirst() == self.plan().changes[...])
    // Whether the host's own are moved is another matter.
    #expect(self.plan(.never, deviceCPUs: [4]).changes == [plan.changes[0]])
    let offline = self.plan(.never, deviceCPUs: [99])
    #expect(offline.changes.isEmpty && offline.warnings.count == 1)
  }

  @Test func onlyAnIsolatedDomainMovesThemUnasked() {
    #expect(plan(isolation: .none) == Plan(phase: .started))
    #expect(plan(.never) == Plan(phase: .started))
    #expect(places(plan(.always, isolation: .none)).count == 4)
    var shared = host
    shared.neighbours = [
      Neighbour(holder: HolderID(hypervisor: .libvirt, id: "r"), name: "r", vcpuCPUs: [4, 12])
    ]
    #expect(plan(on: shared) == Plan(phase: .started))
    for phase in Phase.allCases where phase != .started && phase != .reconnect {
      #expect(plan(phase) == Plan(phase: phase))
    }
  }

  private func plan(_ phase: Phase) -> Plan { plan(.always, phase) }

  @Test func aHostIsNeverLeftWithoutACPU() {
    var host = host
    host.onlineCPUs = [4, 12]
    #expect(plan(.always, on: host) == Plan(phase: .started))
    #expect(plan(on: host) == Plan(phase: .started))
  }

  private func balancer(answers: Bool) -> BalancerFacts {
    BalancerFacts(process: ProcessIdentity(pid: 812, startTime: 3), answers: answers)
  }

  @Test func irqbalanceIsToldWhereItAnswers() {
    var host = host
    host.interrupts.balancers = [balancer(answers: true)]
    let plan = plan(on: host)
    #expect(plan.changes[0].setting == .every(.balancers))
    #expect(plan.changes[0].claim == .withCPUs([4, 12]))
    #expect(plan.changes.dropFirst() == self.plan().changes[...] && plan.warnings == [])
    let own = self.plan(.never, deviceCPUs: [4], on: host)
    #expect(
      own.changes.map(\.setting) == [
        .every(.balancing(of: Sample.function.address)),
        .every(.interrupts(of: Sample.function.address)),
      ])
    #expect(own.changes[0].claim == .exactly(.leftAlone))
  }

  @Test func irqbalanceIsNotFought() {
    var host = host
    host.interrupts.balancers = [balancer(answers: false)]
    let plan = plan(on: host)
    #expect(plan.changes.isEmpty && plan.warnings.count == 1)
    #expect(plan.warnings[0].contains("irqbalance would move them back"))
    let asked = self.plan(.always, on: host)
    #expect(asked.changes.count == 5 && asked.warnings.count == 1)
    #expect(self.plan(.never, deviceCPUs: [4], on: host).warnings.count == 1)
  }

  @Test func theInterruptsAreReadOnlyWhereTheyAreToBeMoved() {
    var policy = Policy()
    #expect(Sample.needs(Interrupts(), .started, policy: policy).interrupts)
    #expect(Sample.needs(Interrupts(), .prepare, policy: policy) == FactNeeds())
    policy.isolation = .none
    #expect(Sample.needs(Interrupts(), .started, policy: policy) == FactNeeds())
    policy.interrupts.move = .always
    #expect(Sample.needs(Interrupts(), .started, policy: policy).interrupts)
    policy.interrupts.move = .never
    #expect(Sample.needs(Interrupts(), .started, policy: policy) == FactNeeds())
    policy.interrupts.deviceCPUs = [4]
    #expect(Sample.needs(Interrupts(), .started, policy: policy) == FactNeeds())
    policy.pci.functions = [Sample.function.address]
    #expect(Sample.needs(Interrupts(), .started, policy: policy).interrupts)
  }

  @Test(arguments: [
    ("vfio-msix[12](0000:41:00.0)", true), ("vfio-msi[0](0000:41:00.0)", true),
    ("vfio-intx(0000:41:00.0)", true), ("vfio-intx(x)", false), ("nvme0q1", false),
    ("ahci[0000:41:00.0]", false), ("vfio-intx", false),
  ])
  func theNameTellsWhoseFunctionItIs(action: String, isPassed: Bool) {
    let function = InterruptFacts(number: 1, actions: [action], cpus: []).passedFunction
    #expect((function == Sample.function.address) == isPassed)
  }
}
