import Bytes
import HostModel
import Ledger
internal import Recorded
import Support
import Testing

/// The kernel's own threads and its unbound work on recorded hosts whose kernels have no remote
/// partitions.
struct KernelThreadLifeTests {
  private static let queues: HostPath = "/sys/devices/virtual/workqueue"

  /// Isolates, and leaves the interrupts to others.
  private static func isolate(_ policy: inout Policy) {
    policy.isolation = .auto
    policy.interrupts.move = .never
  }

  /// A kernel thread that may run on some CPUs.
  private func thread(
    _ tid: Int, _ name: String, _ cpus: CPUList, flags: Int = 0x20_0040, group: String = "/"
  ) -> String {
    let rest = Array(repeating: "0", count: 31).joined(separator: " ")
    let fields = "S 2 0 0 0 -1 \(flags) 0 0 0 0 0 0 0 0 20 0 1 0 77 \(rest)"
    let status = "Name:\\t\(name)\\nCpus_allowed:\\t\(cpus.mask)\\nCpus_allowed_list:\\t\(cpus)"
    return ["proc/\(tid)", "proc/\(tid)/task/\(tid)"].map { folder in
      "\(folder)/comm\t\(name)\n\(folder)/stat\t\(tid) (\(name)) \(fields)\n"
        + "\(folder)/status\t\(status)\n\(folder)/cgroup\t0::\(group)\n"
    }.joined()
  }

  private func life(_ release: String, _ lines: String = "") throws -> RecordedLife {
    try RecordedLife(
      "proc/sys/kernel/osrelease\t\(release)\n" + thread(60, "kswapd0", [0, 1, 2, 3])
        + thread(61, "kswapd1", [4, 5, 6, 7]) + thread(62, "rcu_preempt", CPUList(0...15))
        + thread(63, "kworker/5:1", [5], flags: 0x0420_0040)
        + thread(64, "irq/24-nvme0q0", CPUList(0...15))
        + thread(65, "vhost-77", CPUList(0...15), group: "/machine.slice/other.scope") + lines)
  }

  private func cpus(_ life: RecordedLife, _ tid: Int) throws -> CPUList {
    try life.host.kernel.affinity(of: tid)
  }

  @Test(arguments: ["6.1.176", "6.8.12"])
  func theyLeaveTheDomainsCPUsAndComeBack(release: String) throws {
    let life = try life(release, "sys/devices/virtual/workqueue/writeback/cpumask\tffff\n")
    let isolate = Self.isolate
    // The later one has the files of partitions, so that those are tried first.
    let isEarly = release == "6.1.176"
    #expect(try life.play(.started, RecordedLife.domain(), isolate).isEmpty == isEarly)
    let left = CPUList(0...15).subtracting([5, 13])
    #expect(try cpus(life, 2) == CPUList(0...15) && cpus(life, 62) == left)
    #expect(try cpus(life, 60) == [0, 1, 2, 3] && cpus(life, 61) == [4, 6, 7])
    #expect(try cpus(life, 63) == [5] && cpus(life, 64) == CPUList(0...15))
    #expect(try cpus(life, 65) == CPUList(0...15))
    #expect(try life.word("\(Self.queues)/cpumask") == "dfdf")
    #expect(try life.word("\(Self.queues)/writeback/cpumask") == "dfdf")
    #expect(try life.play(.reconnect, RecordedLife.domain(), isolate).isEmpty == isEarly)
    #expect(try cpus(life, 61) == [4, 6, 7])
    #expect(try life.play(.release) == [])
    #expect(try life.difference(below: "/sys/devices", "/proc") == [])
  }

  @Test func aPartitionLeavesThemToTheKernel() throws {
    let life = try life("6.12.48")
    try life.host.prepareAndStartGaming()
    var domain = Workstation.domain
    domain.vcpuPins = [0: [5], 1: [13], 2: [6], 3: [14], 4: [7], 5: [15]]
    #expect(try life.play(.started, domain, Self.isolate) == [])
    #expect(try life.word("\(Self.queues)/cpumask") == "ffff")
    #expect(try cpus(life, 2) == CPUList(0...15).subtracting([5, 6, 7, 13, 14, 15]))
    let claimed = try life.ledger().entries.filter { !$0.hasOnlyPassiveClaims }.map(\.setting)
    #expect(claimed.filter { $0.followsCpuset } == [])
  }

  @Test func aDomainThatWantsNoneOfItMovesNone() throws {
    let life = try life("6.1.176")
    let warnings = try life.play(.started) { policy in
      Self.isolate(&policy)
      policy.kernelThreads = .never
    }
    #expect(warnings == [])
    #expect(try cpus(life, 2) == CPUList(0...15))
    #expect(try life.word("\(Self.queues)/cpumask") == "ffff")
  }

  @Test func oneThatSomebodyElseMovesStaysThere() throws {
    let life = try life("6.1.176")
    _ = try life.play(.started, RecordedLife.domain(), Self.isolate)
    try life.host.kernel.setAffinity([1], of: 62)
    let drifts = try life.play(.release)
    #expect(drifts.count == 1 && drifts[0].contains("thread 62"))
    #expect(try cpus(life, 62) == [1])
  }

  @Test func oneThatHasNoOtherCPUGetsTheHostsOwnAndGoesBack() throws {
    let life = try life("6.1.176")
    try life.host.kernel.setAffinity([5], of: 62)
    #expect(try life.play(.started, RecordedLife.domain(), Self.isolate) == [])
    #expect(try cpus(life, 62) == CPUList(0...15).subtracting([5, 13]))
    #expect(try life.play(.release) == [])
    #expect(try cpus(life, 62) == [5])
  }

  @Test func whatWasAskedOfWorkIsPutBackAndNotWhatIsInEffect() throws {
    let life = try life("6.8.12", "sys/devices/virtual/workqueue/cpumask_requested\tff0f\n")
    _ = try life.play(.started, RecordedLife.domain(), Self.isolate)
    #expect(try life.word("\(Self.queues)/cpumask_requested") == "df0f")
    // Another domain has CPU 3 to itself: work is not to be brought back there.
    try life.host.add("sys/fs/cgroup/cpuset.cpus.isolated\t3\n")
    let failures = try life.play(.release)
    #expect(failures.count == 1 && failures[0].contains("EBUSY"))
    #expect(failures[0].contains("it would bring work back to CPUs 3, which are isolated"))
    #expect(try life.word("\(Self.queues)/cpumask_requested") == "df0f")
    try life.host.add("sys/fs/cgroup/cpuset.cpus.isolated\t\\c\n")
    #expect(try life.reconcile() == [])
    #expect(try life.word("\(Self.queues)/cpumask_requested") == "ff0f")
  }
}
