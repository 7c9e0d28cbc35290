import HostModel
import Testing

@testable import Tunings

/// Which of the kernel's threads leave the CPUs of a domain that has no partition.
struct KernelThreadsTests {
  private func thread(_ tid: Int, _ name: String, _ cpus: CPUList) -> KernelThreadFacts {
    KernelThreadFacts(
      thread: HostThread(pid: tid, tid: tid, startTime: 7, role: .foreign), name: name, cpus: cpus)
  }

  private func host(kernel minor: Int = 1) -> HostFacts {
    var host = Sample.host
    host.kernel = KernelVersion(major: 6, minor: minor)
    var process = QEMUFacts.expected(for: Sample.domain)
    process.identity = ProcessIdentity(pid: 4242, startTime: 9)
    process.canPartition = minor > 10
    host.process = process
    host.kernelWork.threads = [
      thread(2, "kthreadd", CPUList(0...15)), thread(60, "kswapd0", [0, 1, 2, 3]),
      thread(61, "kswapd1", [4, 5]), thread(90, "kvm-pit/4242", CPUList(0...15)),
      thread(91, "kvm-pit/77", CPUList(0...15)),
    ]
    host.kernelWork.queues = [
      WorkqueueFacts(path: "/sys/devices/virtual/workqueue/cpumask", cpus: CPUList(0...15)),
      WorkqueueFacts(path: "/sys/devices/virtual/workqueue/writeback/cpumask", cpus: [0, 1]),
    ]
    return host
  }

  private func plan(
    _ host: HostFacts, _ phase: Phase = .started, domain: Domain = Sample.domain,
    _ change: (inout Policy) -> Void = { _ in }
  ) -> Plan {
    var policy = Policy()
    change(&policy)
    return Sample.plan(KernelThreads(), phase, domain: domain, policy: policy, on: host)
  }

  @Test func thoseThatMayRunThereLeaveTheDomainsCPUs() {
    let plan = plan(host())
    let left = CPUList(0...15).subtracting([4, 12])
    let threads = [61, 90, 91].map { tid in
      Setting.affinity(HostThread(pid: tid, tid: tid, startTime: 7, role: .foreign))
    }
    let queue = Setting.attribute(path: "/sys/devices/virtual/workqueue/cpumask", .cpuMask)
    #expect(plan.changes.map(\.setting) == threads + [queue])
    #expect(plan.changes[0].claim == .withoutCPUs([4, 12], all: left))
    #expect(plan.changes[0].reason == "kswapd1 would interrupt the vCPUs of win10")
    #expect(plan.changes[1].claim == .exactly(.cpus(left)))
    #expect(plan.changes[3].claim == .withoutCPUs([4, 12], all: left))
    #expect(plan.changes.allSatisfy { !$0.isRequired } && plan.warnings == [])
  }

  @Test func kthreaddStaysAsItsChildrenKeepWhatItIsGiven() {
    var host = host()
    host.kernelWork.threads = [thread(2, "kthreadd", CPUList(0...15))]
    host.kernelWork.queues = []
    #expect(plan(host).changes.isEmpty)
  }

  @Test func theTimerOfADomainRunsWhereItsEmulatorDoes() {
    var domain = Sample.domain
    domain.emulatorPin = [3]
    #expect(plan(host(), domain: domain).changes[1].claim == .exactly(.cpus([3])))
    let pinned = plan(host()) { $0.pins.emulator = [2] }
    #expect(pinned.changes[1].claim == .exactly(.cpus([2])))
    // Where it is one of the threads of QEMU, who pins those pins it, too.
    var early = host()
    early.process?.threads.append(
      ThreadFacts(
        thread: HostThread(pid: 90, tid: 90, startTime: 7, role: .worker), name: "kvm-pit/4242",
        affinity: [], scheduler: .fifo(priority: 1)))
    #expect(plan(early) { $0.pins.emulator = [2] }.changes.count == 3)
  }

  @Test func aPartitionDoesItByItself() {
    var host = host(kernel: 12)
    host.process?.canPartition = true
    #expect(plan(host) == Plan(phase: .started))
    #expect(plan(host) { $0.isolation = .partition } == Plan(phase: .started))
    #expect(plan(host) { $0.isolation = .slices }.changes.count == 4)
  }

  @Test func whileAnotherHasAPartitionAllStaysAsItIs() {
    var host = host()
    host.kernelWork.isPartitioned = true
    let plan = plan(host)
    #expect(plan.changes.isEmpty && plan.warnings.count == 1)
  }

  @Test func onlyAnIsolatedDomainMovesThemAndNoneWhosePolicySaysNever() {
    #expect(plan(host()) { $0.kernelThreads = .never } == Plan(phase: .started))
    #expect(plan(host()) { $0.isolation = .none } == Plan(phase: .started))
    for phase in Phase.allCases where phase != .started && phase != .reconnect {
      #expect(plan(host(), phase) == Plan(phase: phase))
    }
  }

  @Test func noTaskIsBothMovedAndKept() {
    var host = host()
    host.pinnedTasks = host.kernelWork.threads.map(\.thread)
    var policy = Policy()
    let kept = Sample.plan(Isolation(), .started, on: host).changes.filter { $0.claim == .keep }
    #expect(kept.map(\.setting) == host.pinnedTasks[0...1].map(Setting.affinity))
    policy.kernelThreads = .never
    let all = Sample.plan(Isolation(), .started, policy: policy, on: host).changes
    #expect(all.filter { $0.claim == .keep }.count == 5)
  }

  @Test func theyAreLookedAtOnlyWhereNoPartitionCanBeHad() {
    #expect(Sample.needs(KernelThreads(), .started).kernelWork == .unlessPartitioned)
    #expect(Sample.needs(KernelThreads(), .prepare) == FactNeeds())
    var policy = Policy()
    policy.isolation = .slices
    #expect(Sample.needs(KernelThreads(), .started, policy: policy).kernelWork == .always)
    policy.isolation = .partition
    #expect(Sample.needs(KernelThreads(), .started, policy: policy) == FactNeeds())
    policy = Policy()
    policy.kernelThreads = .never
    #expect(Sample.needs(KernelThreads(), .started, policy: policy) == FactNeeds())
  }
}
