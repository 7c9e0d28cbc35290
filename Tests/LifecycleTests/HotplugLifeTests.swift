import Bytes
import HostModel
import Ledger
internal import Recorded
import Support
import Testing

/// CPUs of an isolated VM that go offline and come back, on the recorded host.
struct HotplugLifeTests {
  private static let group: HostPath =
    "/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dgaming.scope/libvirt/vcpu0"
  private static let partition: HostPath = "\(group)/cpuset.cpus.partition"
  private static let policy = "sys/devices/system/cpu/cpufreq/policy5"
  private static let host = """
    \(policy)/affected_cpus\t5
    \(policy)/scaling_governor\tpowersave
    \(policy)/scaling_available_governors\tperformance powersave
    sys/devices/system/cpu/cpu5/cpufreq -> ../cpufreq/policy5
    sys/devices/system/cpu/cpufreq/policy13/affected_cpus\t13
    sys/devices/system/cpu/cpufreq/policy13/scaling_governor\tperformance
    sys/devices/system/cpu/cpu13/cpufreq -> ../cpufreq/policy13
    proc/irq/70/smp_affinity_list\t4-5
    proc/irq/70/effective_affinity_list\t4
    proc/irq/70/xhci_hcd/
    sys/power/state\tfreeze mem
    sys/power/suspend_stats/success\t0

    """

  /// Its vCPUs have CPUs 5 and 13 to themselves; interrupt 70 is left CPU 4 alone.
  private func started() throws -> RecordedLife {
    let life = try RecordedLife(Self.host)
    try life.host.prepareAndStartGaming()
    #expect(try play(.prepare, life) == [])
    #expect(try play(.started, life) == [])
    #expect(try life.word(Self.partition) == "isolated")
    #expect(try life.word("/proc/irq/70/smp_affinity_list") == "4")
    return life
  }

  private func play(_ phase: Phase, _ life: RecordedLife) throws -> [String] {
    try life.play(phase) { policy in
      policy.isolation = .partition
      policy.interrupts.move = .always
      policy.cpu.governor = "performance"
    }
  }

  private func set(_ cpu: Int, _ text: String, _ life: RecordedLife) throws {
    try life.host.kernel.write(text, to: "/sys/devices/system/cpu/cpu\(cpu)/online")
  }

  /// Everything leaves, and the host is as before, but for where interrupts happen to arrive.
  private func leave(_ life: RecordedLife) throws {
    try life.host.stopGaming()
    #expect(try play(.release, life) == [])
    let left = try life.difference(below: "/sys/fs/cgroup", "/sys/devices/system/cpu", "/proc/irq")
    #expect(left.filter { !$0.contains("/effective_affinity_list") } == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func aCPUThatComesBackIsIsolatedAgain() throws {
    let life = try started()
    try set(5, "0", life)
    try set(5, "1", life)
    #expect(try life.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "13")
    #expect(try life.reconcile() == [])
    #expect(try life.word(Self.partition) == "isolated")
    #expect(try life.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "5,13")
    #expect(try life.word("/\(below: Self.policy)/scaling_governor") == "performance")
    try leave(life)
  }

  @Test func withoutItsCPUAVMLosesNothingForGood() throws {
    let life = try started()
    try set(5, "0", life)
    // The governor cannot be looked at meanwhile.
    let said = try life.reconcile()
    #expect(said.count == 1 && said.allSatisfy { $0.contains("EBUSY") })
    try set(6, "0", life)
    try set(6, "1", life)
    try set(5, "1", life)
    #expect(try life.reconcile() == [])
    #expect(try life.word(Self.partition) == "isolated")
    #expect(try life.host.kernel.affinity(of: 4260) == [5])
    try leave(life)
  }

  @Test func anInterruptThatLostItsCPUIsSentBackThere() throws {
    let life = try started()
    try set(4, "0", life)
    #expect(try life.word("/proc/irq/70/smp_affinity_list") == "0-3,5-15")
    try set(4, "1", life)
    #expect(try life.word("/proc/irq/70/smp_affinity_list") == "0-3,5-15")
    #expect(try life.reconcile() == [])
    #expect(try life.word("/proc/irq/70/smp_affinity_list") == "4")
    try leave(life)
  }

  @Test func theOriginalIsGivenBackFromWhatTheKernelLeft() throws {
    let life = try started()
    try set(4, "0", life)
    try set(4, "1", life)
    try leave(life)
  }

  @Test func sleepIsRepairedAndAPersonsValueStays() throws {
    let life = try started()
    let governor: HostPath = "/\(below: Self.policy)/scaling_governor"
    try life.host.kernel.write("powersave", to: governor)
    try life.host.kernel.write("mem", to: "/sys/power/state")
    #expect(try life.word("/proc/irq/70/smp_affinity_list") == "0-3")
    for _ in 1...2 {
      let said = try life.reconcile()
      #expect(
        said.count == 1 && said.allSatisfy { $0.contains("scaling_governor reads “powersave”") })
      #expect(try life.word("/proc/irq/70/smp_affinity_list") == "4")
      #expect(try life.word(governor) == "powersave")
      #expect(try life.word(Self.partition) == "isolated")
    }
    try leave(life)
  }
}
