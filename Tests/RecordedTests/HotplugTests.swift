import Bytes
import HostModel
import Port
import Support
import Testing

@testable import Recorded

/// What CPUs leave behind that go offline and come back.
struct HotplugTests {
  private static let cpus: HostPath = "/sys/devices/system/cpu"
  private static let scope: HostPath =
    "/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"
  private static let vcpu: HostPath = "\(scope)/libvirt/vcpu0"

  private func set(_ cpu: Int, _ text: String, on host: Workstation) throws {
    try host.kernel.write(text, to: "\(Self.cpus)/cpu\(cpu)/online")
  }

  /// A workstation whose VM has CPUs 5 and 13 to itself.
  private func isolated() throws -> Workstation {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    for group in ["/sys/fs/cgroup/machine.slice", Self.scope, "\(Self.scope)/libvirt"] {
      try host.kernel.write("5,13", to: "\(group)/cpuset.cpus.exclusive")
    }
    for (vcpu, cpu) in [(0, 5), (1, 13)] {
      let group: HostPath = "\(Self.scope)/libvirt/vcpu\(vcpu)"
      try host.kernel.write("\(cpu)", to: "\(group)/cpuset.cpus.exclusive")
      try host.kernel.write("isolated", to: "\(group)/cpuset.cpus.partition")
    }
    return host
  }

  @Test func aCPUThatIsOfflineCountsNowhere() throws {
    let host = try Workstation()
    try set(5, "0", on: host)
    #expect(try host.word("\(Self.cpus)/online") == "0-4,6-15")
    #expect(try host.word("\(Self.cpus)/cpu5/online") == "0")
    #expect(!host.kernel.exists("\(Self.cpus)/cpu5/topology"))
    #expect(try host.word("\(Self.cpus)/cpu13/topology/thread_siblings_list") == "13")
    #expect(try host.word("\(Self.cpus)/cpu4/cache/index3/shared_cpu_list") == "4,6-7,12-15")
    #expect(try host.word("/sys/devices/system/node/node1/cpulist") == "4,6-7,12-15")
    try set(13, "off", on: host)
    try set(5, "1", on: host)
    #expect(try host.word("\(Self.cpus)/cpu5/topology/thread_siblings_list") == "5")
    try set(13, "on", on: host)
    #expect(try host.word("\(Self.cpus)/cpu5/topology/thread_siblings_list") == "5,13")
    #expect(try host.word("/sys/devices/system/node/node1/cpulist") == "4-7,12-15")
  }

  @Test func theLastCPUAndWhatIsNoSwitchAreRefused() throws {
    let host = try Workstation()
    #expect(throws: HostError.self) { try set(5, "2", on: host) }
    for cpu in 1...15 { try set(cpu, "0", on: host) }
    try set(1, "0", on: host)
    #expect(try host.word("\(Self.cpus)/online") == "0")
  }

  @Test func aPartitionThatLosesItsCPUStaysInvalidWhenThatIsBack() throws {
    let host = try isolated()
    let invalid = "isolated invalid (No cpu available due to hotplug)"
    try set(5, "0", on: host)
    #expect(try host.word("\(Self.vcpu)/cpuset.cpus.partition") == invalid)
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "13")
    #expect(try host.word("\(Self.vcpu)/cpuset.cpus.effective") == "0-4,6-12,14-15")
    #expect(try host.kernel.affinity(of: 4260).description == "0-4,6-12,14-15")
    try set(5, "1", on: host)
    #expect(try host.word("\(Self.vcpu)/cpuset.cpus.partition") == invalid)
    #expect(try host.word("\(Self.vcpu)/cpuset.cpus.effective") == "5")
    #expect(try host.kernel.affinity(of: 4260) == [5])
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "13")
    try host.kernel.write("isolated", to: "\(Self.vcpu)/cpuset.cpus.partition")
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "5,13")
  }

  @Test func aPartitionThatIsMadeWithoutItsCPULastsUntilAnotherOneGoes() throws {
    let host = try isolated()
    let partition: HostPath = "\(Self.vcpu)/cpuset.cpus.partition"
    try set(5, "0", on: host)
    try host.kernel.write("isolated", to: partition)
    #expect(try host.word(partition) == "isolated")
    try set(7, "0", on: host)
    #expect(try host.word(partition) == "isolated invalid (No cpu available due to hotplug)")
    try host.kernel.write("isolated", to: partition)
    try set(5, "1", on: host)
    #expect(try host.word(partition) == "isolated")
    #expect(try host.kernel.affinity(of: 4260) == [5])
  }

  @Test func aMaskIsBrokenWithItsLastCPUAndStaysSo() throws {
    let host = try Workstation()
    let interrupt: HostPath = "/proc/irq/24"
    let mask = { try host.word("\(interrupt)/smp_affinity_list") }
    try host.kernel.write("6-7", to: "\(interrupt)/smp_affinity_list")
    try set(6, "0", on: host)
    #expect(try mask() == "6-7")
    #expect(try host.word("\(interrupt)/effective_affinity_list") == "7")
    try set(7, "0", on: host)
    #expect(try mask() == "0-5,8-15")
    try set(6, "1", on: host)
    try set(7, "1", on: host)
    #expect(try mask() == "0-5,8-15")
    try host.kernel.write("7", to: "\(interrupt)/smp_affinity_list")
    try host.add("recorded/limits\t\(interrupt)/smp_affinity_list managed yes")
    try set(7, "0", on: host)
    #expect(try mask() == "7")
  }

  @Test(arguments: [("6.12.48", "0-5"), ("6.8.12", "0,8-15")])
  func sleepBreaksMasksAndLeavesPartitionsAlone(version: String, mask: String) throws {
    let host = try isolated()
    try host.add(
      """
      proc/sys/kernel/osrelease\t\(version)
      sys/power/state\tfreeze mem disk
      sys/power/suspend_stats/success\t0
      """)
    try host.kernel.write("6-7", to: "/proc/irq/24/smp_affinity_list")
    try host.kernel.write("freeze", to: "/sys/power/state")
    #expect(try host.word("/proc/irq/24/smp_affinity_list") == "6-7")
    try host.kernel.write("mem", to: "/sys/power/state")
    #expect(try host.word("\(Self.cpus)/online") == "0-15")
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "5,13")
    #expect(try host.word("\(Self.vcpu)/cpuset.cpus.partition") == "isolated")
    #expect(try host.word("/proc/irq/24/smp_affinity_list") == mask)
    #expect(try host.word("/sys/power/suspend_stats/success") == "1")
    #expect(throws: HostError.self) { try host.kernel.write("nap", to: "/sys/power/state") }
  }

  @Test(arguments: [("6.1.176", CPUList(0...15)), ("6.2.0", CPUList([3]))])
  func earlyKernelsForgetWhatATaskWasGiven(version: String, cpus: CPUList) throws {
    let host = try Workstation()
    try host.add("proc/sys/kernel/osrelease\t\(version)")
    try host.kernel.setAffinity([3], of: 640)
    try set(7, "0", on: host)
    try set(7, "1", on: host)
    #expect(try host.kernel.affinity(of: 640) == cpus)
  }

  @Test func aKernelThreadWithoutAnyCPUMayRunOnAll() throws {
    let host = try Workstation()
    try host.kernel.setAffinity([7], of: 2)
    try set(7, "0", on: host)
    #expect(try host.kernel.affinity(of: 2) == CPUList([0, 1, 2, 3, 4, 5, 6] + Array(8...15)))
    try set(7, "1", on: host)
    #expect(try host.kernel.affinity(of: 2) == CPUList(0...15))
  }

  @Test func aFrequencyPolicyIsBusyWhileItsCPUsAreOffline() throws {
    let host = try Workstation()
    let policy: HostPath = "\(Self.cpus)/cpufreq/policy5"
    try host.add(
      """
      \(policy.below(.root))/related_cpus\t5
      \(policy.below(.root))/scaling_governor\tpowersave
      \(policy.below(.root))/scaling_available_governors\tperformance powersave
      """)
    try host.kernel.write("performance", to: "\(policy)/scaling_governor")
    try set(5, "0", on: host)
    #expect(throws: HostError.self) { try host.word("\(policy)/scaling_governor") }
    #expect(throws: HostError.self) {
      try host.kernel.write("powersave", to: "\(policy)/scaling_governor")
    }
    try set(5, "1", on: host)
    #expect(try host.word("\(policy)/scaling_governor") == "performance")
  }
}
