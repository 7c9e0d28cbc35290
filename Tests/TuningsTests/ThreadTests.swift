import HostModel
import Testing

@testable import Tunings

/// The tunings of threads: who is pinned, who gets a real-time policy, and who is left alone.
struct ThreadTests {
  private var host: HostFacts {
    var host = Sample.host
    var process = QEMUFacts.expected(for: Sample.domain)
    for role in [ThreadRole.vhost, .worker] {
      let thread = HostThread(pid: 0, tid: 0, startTime: 0, role: role)
      process.threads.append(
        ThreadFacts(
          thread: thread, name: "", affinity: [],
          scheduler: ThreadScheduler(policy: 0, priority: 0, resetsOnFork: false)))
    }
    host.process = process
    return host
  }

  private var policy: Policy {
    var policy = Policy()
    policy.pins.vcpus = [0: [5], 1: [13]]
    policy.pins.iothreads = [1: [6]]
    policy.pins.emulator = [7]
    return policy
  }

  private func pins(_ domain: Domain) -> [String] {
    Sample.plan(ThreadPinning(), .started, domain: domain, policy: policy, on: host).changes
      .map { "\($0.setting) \($0.claim)" }
  }

  @Test func pinsByPolicyWhatTheConfigurationLeavesFree() {
    var domain = Sample.domain
    domain.vcpuPins = [1: [12]]
    #expect(
      pins(domain) == [
        "CPUs of emulator (thread 0) 7", "CPUs of vCPU 0 (thread 0) 5",
        "CPUs of iothread 1 (thread 0) 6", "CPUs of vhost worker (thread 0) 7",
        "CPUs of worker (thread 0) 7",
      ])
  }

  @Test func standsBackWhereTheConfigurationPins() {
    var domain = Sample.domain
    domain.emulatorPin = [0]
    domain.iothreadPins = [1: [1]]
    #expect(pins(domain).isEmpty)
    #expect(Sample.needs(ThreadPinning(), .started) == FactNeeds())
  }

  @Test func warnsOfPinsToCPUsThatAreNotOnline() {
    var policy = policy
    policy.pins.emulator = [40]
    let plan = Sample.plan(ThreadPinning(), .prepare, policy: policy)
    #expect(plan.warnings.count == 1 && plan.warnings[0].contains("the emulator of win10"))
  }

  private func scheduled(
    _ phase: Phase, domain: Domain = Sample.domain, on host: HostFacts,
    isolation: Policy.Isolation = .auto
  ) -> Plan {
    var policy = Policy()
    policy.fifoPriority = 2
    policy.isolation = isolation
    return Sample.plan(VCPUScheduler(), phase, domain: domain, policy: policy, on: host)
  }

  @Test func onlyVCPUThreadsBecomeRealTimeThreads() {
    let changes = scheduled(.started, on: host).changes
    #expect(
      changes.map { "\($0.setting)" } == [
        "scheduler of vCPU 0 (thread 0)", "scheduler of vCPU 1 (thread 0)",
      ])
    #expect(changes.allSatisfy { $0.claim == .exactly(.scheduler(.fifo(priority: 2))) })
    #expect(Sample.plan(VCPUScheduler(), .started, on: host) == Plan(phase: .started))
  }

  @Test func vCPUsThatLibvirtSchedulesAreLeftAlone() {
    var domain = Sample.domain
    domain.scheduledVCPUs = [0, 1]
    #expect(scheduled(.started, domain: domain, on: host).changes.isEmpty)
  }

  @Test func warnsWhereRealTimeDoesLittle() {
    #expect(scheduled(.prepare, on: host).warnings.isEmpty)
    #expect(scheduled(.prepare, on: host, isolation: .none).warnings.count == 1)
    var unlimited = host
    unlimited.realtimeRuntimeMicroseconds = -1
    #expect(scheduled(.prepare, on: unlimited, isolation: .none).warnings.isEmpty)
  }

  @Test func refusesToLetARealTimeVCPUOwnTheLastCPU() {
    var small = host
    small.onlineCPUs = [4, 12]
    #expect(scheduled(.prepare, on: small).refusals.count == 1)
    small.onlineCPUs = [0, 4, 12]
    #expect(scheduled(.prepare, on: small).refusals.isEmpty)
    var free = Sample.domain
    free.vcpuPins = [:]
    #expect(scheduled(.prepare, domain: free, on: small).refusals.isEmpty)
    free.vcpus = 3
    #expect(scheduled(.prepare, domain: free, on: small).refusals.count == 1)
  }
}
