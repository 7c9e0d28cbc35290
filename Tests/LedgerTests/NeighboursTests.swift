import HostModel
import Ledger
import Testing

/// What a plan has to know of the VMs beside its own.
struct NeighboursTests {
  private static let exclusive = "/sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive"

  /// A setting, a claim on it, and which of CPUs 4 to 7 the host's own tasks are kept off by it.
  @Test(arguments: [
    (
      Setting.allowedCPUs(unit: "system.slice"), Claim.withoutCPUs([4, 5], all: CPUList(0...7)),
      CPUList([4, 5])
    ),
    (.attribute(path: exclusive, .cpuList), .withCPUs([6]), CPUList([6])),
    (
      .attribute(path: "/proc/irq/4/smp_affinity_list", .cpuList), .withoutCPUs([4], all: [0]),
      CPUList()
    ),
    (.attribute(path: "/proc/sys/kernel/x", .text), .exactly(.text("1")), CPUList()),
  ])
  func onlyWhatIsTakenFromTasksIsTakenFromTheHost(
    setting: Setting, claim: Claim, isolated: CPUList
  ) {
    let id = HolderID(hypervisor: .libvirt, id: "a")
    for (hasArrived, expected) in [(true, isolated), (false, CPUList(4...7))] {
      var ledger = Ledger()
      ledger.holders = [
        Holder(id: id, name: "a", vcpuCPUs: CPUList(4...7), hasArrived: hasArrived)
      ]
      ledger.entries = [
        Entry(
          setting: setting, original: .cpus([]),
          claims: [HeldClaim(holder: id, claim: claim, reason: "")])
      ]
      let found = ledger.neighbours(of: HolderID(hypervisor: .libvirt, id: "b"))
      #expect(found.map(\.isolatedCPUs) == [expected])
      #expect(found.map(\.vcpuCPUs) == [CPUList(4...7)])
    }
  }
}
