import HostModel
import Testing

@testable import Tunings

/// The threads of vCPUs' cores that nobody uses: CPU n and n + 8 are a core.
struct WholeCoresTests {
  private static var domain: Domain {
    var domain = Sample.domain
    domain.vcpuPins = [0: [4], 1: [5]]
    return domain
  }

  private static func host(for domain: Domain, _ change: (inout HostFacts) -> Void = { _ in })
    -> HostFacts
  {
    var host = Sample.host
    host.process = .expected(for: domain)
    change(&host)
    return host
  }

  private static func plan(
    _ domain: Domain = domain, isolation: Policy.Isolation = .auto, on host: HostFacts? = nil,
    _ change: (inout Policy) -> Void = { _ in }
  ) -> Plan {
    var policy = Policy()
    policy.cpu.keepsWholeCores = true
    policy.isolation = isolation
    change(&policy)
    return Sample.plan(
      Isolation(), .started, domain: domain, policy: policy, on: host ?? Self.host(for: domain))
  }

  private static func neighbour(_ vcpus: CPUList, isolated: CPUList? = nil) -> Neighbour {
    var neighbour = Neighbour(
      holder: HolderID(hypervisor: .libvirt, id: "r"), name: "rival", vcpuCPUs: vcpus)
    if let isolated { neighbour.isolatedCPUs = isolated }
    return neighbour
  }

  /// What each partition is of, by the last part of its group's path.
  private static func exclusive(_ plan: Plan) -> [String: CPUList] {
    var found: [String: CPUList] = [:]
    for change in plan.changes {
      guard case .attribute(let path, _) = change.setting, case .withCPUs(let cpus) = change.claim
      else { continue }
      found[path.split(separator: "/").dropLast().last.map(String.init) ?? ""] = cpus
    }
    return found
  }

  @Test func nobodyWhoDoesNotAskHasMoreThanHisPins() {
    let plan = Self.plan { $0.cpu.keepsWholeCores = false }
    #expect(Self.exclusive(plan)["vcpu0"] == [4])
    #expect(plan.ladders.map(\.goal) == ["isolation"])
    var policy = Policy()
    #expect(!Sample.needs(Isolation(), .started, domain: Self.domain, policy: policy).cores)
    policy.cpu.keepsWholeCores = true
    #expect(Sample.needs(Isolation(), .started, domain: Self.domain, policy: policy).cores)
  }

  @Test func aVCPUsPartitionHasItsWholeCore() throws {
    let plan = Self.plan()
    let cpus = Self.exclusive(plan)
    #expect(cpus["vcpu0"] == [4, 12] && cpus["vcpu1"] == [5, 13])
    #expect(cpus["machine.slice"] == [4, 5, 12, 13])
    #expect(
      plan.changes.last?.reason
        == "reserves CPU 5 for vCPU 1 of win10; its sibling 13 stays idle")
    let whole = try #require(plan.ladders.last)
    #expect(whole.goal == "whole cores" && whole.misses.isEmpty)
    #expect(whole.rungs.map(\.name) == ["idle CPUs 12-13 beside vCPUs 0-1"])
    #expect(plan.notes.contains("whole cores of win10: idle CPUs 12-13 beside vCPUs 0-1"))
  }

  @Test func aVMWithAllThreadsOfItsCoresHasNothingToKeepIdle() {
    var domain = Self.domain
    domain.vcpuPins = [0: [4], 1: [12]]
    let plan = Self.plan(domain)
    #expect(plan.ladders.map(\.goal) == ["isolation"])
    #expect(Self.exclusive(plan)["vcpu0"] == [4])
  }

  @Test func slicesHaveThemToo() {
    let plan = Self.plan(isolation: .slices)
    let units = plan.changes.filter { if case .allowedCPUs = $0.setting { true } else { false } }
    #expect(units.count == 3)
    #expect(
      units.allSatisfy { $0.claim == .withoutCPUs([4, 5, 12, 13], all: CPUList(0...15)) })
    // The VM's own threads leave what is idle, and nothing else.
    let own = plan.changes.filter { if case .cpuset = $0.setting { true } else { false } }
    #expect(own.count == 2)
    #expect(own.allSatisfy { $0.claim == .withoutCPUs([12, 13], all: CPUList(0...15)) })
  }

  @Test func aPartitionOfTheVMHasThemToo() {
    var domain = Self.domain
    domain.emulatorPin = [4, 5]
    domain.iothreadPins = [1: [0]]
    let plan = Self.plan(domain)
    #expect(plan.ladders.first?.rungs.first?.name == "VM partition")
    #expect(Self.exclusive(plan)["machine.slice"] == [0, 4, 5, 12, 13])
  }

  /// Who else needs a sibling, and what is said of it.
  struct Need: Sendable, CustomTestStringConvertible {
    var name: String
    var change: @Sendable (inout Domain, inout HostFacts, inout Policy) -> Void
    var idle: CPUList
    var miss: String

    var testDescription: String { name }
  }

  static let needs: [Need] = [
    Need(
      name: "another VM's vCPU",
      change: { _, host, _ in host.neighbours = [neighbour([12])] }, idle: [13],
      miss: "no idle CPU 12 beside vCPU 0, as rival is there"),
    Need(
      name: "another VM's whole core",
      change: { _, host, _ in host.neighbours = [neighbour([1], isolated: [12])] }, idle: [13],
      miss: "no idle CPU 12 beside vCPU 0, as rival is there"),
    Need(
      name: "its own emulator", change: { domain, _, _ in domain.emulatorPin = [13] }, idle: [12],
      miss: "no idle CPU 13 beside vCPU 1, as emulator of win10 has to run there"),
    Need(
      name: "its own emulator, which a vCPU leaves nothing else",
      change: { domain, _, _ in domain.emulatorPin = [5, 13] }, idle: [12],
      miss: "no idle CPU 13 beside vCPU 1, as emulator of win10 has to run there"),
    Need(
      name: "its own iothread by policy",
      change: { _, _, policy in policy.pins.iothreads[1] = [12] },
      idle: [13], miss: "no idle CPU 12 beside vCPU 0, as iothread1 of win10 has to run there"),
    Need(
      name: "a vCPU that shares",
      change: { domain, host, _ in
        domain.vcpus = 3
        domain.vcpuPins[2] = [1, 2, 12]
        host.process = .expected(for: domain)
      }, idle: [13],
      miss: "no idle CPU 12 beside vCPU 0, as another vCPU of win10 is pinned there"),
    Need(
      name: "[limits]", change: { _, _, policy in policy.limits.hostCPUs = [12] }, idle: [13],
      miss:
        "no idle CPU 12 beside vCPU 0, as no VM may claim it (host-cpus = \"12\" under [limits])"
    ),
    Need(
      name: "the host",
      change: { _, host, policy in
        host.onlineCPUs = [0, 4, 5, 12, 13]
        policy.limits.hostCPUCount = 2
      }, idle: [],
      miss:
        "no idle CPU 12 beside vCPU 0, as it would leave the host CPU 0, and 2 CPUs are kept for it "
        + "(host-cpus = 2 under [limits])"),
  ]

  @Test(arguments: needs)
  func whatSomebodyNeedsIsNotTaken(need: Need) throws {
    var domain = Self.domain
    var policy = Policy()
    var host = Self.host(for: domain)
    need.change(&domain, &host, &policy)
    host.process = .expected(for: domain)
    let plan = Self.plan(domain, on: host) {
      $0 = policy
      $0.cpu.keepsWholeCores = true
    }
    let whole = try #require(plan.ladders.last)
    #expect(whole.misses.first?.description == need.miss)
    #expect(plan.notes.contains("whole cores of win10: " + need.miss))
    let cpus = Self.exclusive(plan)
    #expect(cpus["machine.slice"] == CPUList([4, 5]).union(need.idle))
    #expect(plan.ladders.first?.rungs.first?.name == "vCPU partitions")
    if need.idle.isEmpty { #expect(whole.rungs.isEmpty) }
  }

  @Test func anEmulatorThatMayRunElsewhereLeavesThem() throws {
    var domain = Self.domain
    domain.emulatorPin = [0, 12]
    let plan = Self.plan(domain)
    let first = try #require(plan.changes.first)
    #expect(first.claim == .withoutCPUs([4, 5, 12, 13], all: CPUList(0...15)))
    #expect(plan.ladders.last?.misses == [])
  }

  @Test func whereNothingIsolatesNothingIsSaidToBeIdle() throws {
    let host = Self.host(for: Self.domain) { $0.units = [] }
    let plan = Self.plan(isolation: .slices, on: host)
    let whole = try #require(plan.ladders.last)
    #expect(whole.rungs.isEmpty)
    #expect(
      whole.misses.map(\.description) == [
        "no idle CPU 12 beside vCPU 0, as nothing keeps others off it",
        "no idle CPU 13 beside vCPU 1, as nothing keeps others off it",
      ])
  }

  @Test func aVCPUIsNotIsolatedOnWhatAnotherVMKeepsIdle() {
    let host = Self.host(for: Self.domain) {
      $0.neighbours = [Self.neighbour([13], isolated: [5, 13])]
    }
    let plan = Sample.plan(Isolation(), domain: Self.domain, on: host)
    #expect(plan.warnings == ["vCPU 1 of win10 is not isolated: rival keeps CPU 5 for itself"])
  }

  @Test func interruptsAndKernelThreadsLeaveThem() {
    var policy = Policy()
    policy.cpu.keepsWholeCores = true
    let request = Request(domain: Self.domain, phase: .started, policy: policy)
    let host = Self.host(for: Self.domain) { $0.process?.canPartition = false }
    #expect(Isolation().cpus(of: request, on: host) == [4, 5, 12, 13])
    #expect(Isolation().cpusOfSlices(of: request, on: host) == [4, 5, 12, 13])
  }
}
