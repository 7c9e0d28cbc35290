import HostModel
import Support
import Testing

@testable import Facts
@testable import Formats
@testable import Recorded

/// How a host is set up for its domains.
struct InstallationReaderTests {
  private func facts(_ lines: String) throws -> InstallationFacts {
    let folder = TemporaryDirectory()
    try RecordedHost(parsing: lines, from: "test").unpack(into: folder.path)
    return try InstallationReader(kernel: RecordedKernel(root: folder.path)).facts()
  }

  @Test func findsNothingOnAnEmptyHost() throws {
    var empty = InstallationFacts()
    empty.missingRepair = .file("/usr/lib/systemd/system/berth-reconcile.service")
    #expect(try facts("sys/") == empty)
  }

  @Test func findsWhatIsMissingOfWhatRepairs() throws {
    let lines = [
      "usr/lib/systemd/system/berth-reconcile.service\tx",
      "usr/lib/systemd/system/berth-reconcile.path\tx",
      "usr/lib/systemd/system/berth-live.service\tx",
      "usr/lib/systemd/system/berth-live.path\tx", "usr/lib/udev/rules.d/90-berth.rules\tx",
      "etc/systemd/system/suspend.target.wants/berth-reconcile.service\tx",
      "etc/systemd/system/paths.target.wants/berth-reconcile.path\tx",
      "etc/systemd/system/multi-user.target.wants/berth-live.path\tx",
    ]
    let missing = try (0...lines.count).map { count in
      try facts("sys/\n" + lines.prefix(count).joined(separator: "\n")).missingRepair
    }
    #expect(
      missing == [
        .file("/usr/lib/systemd/system/berth-reconcile.service"),
        .file("/usr/lib/systemd/system/berth-reconcile.path"),
        .file("/usr/lib/systemd/system/berth-live.service"),
        .file("/usr/lib/systemd/system/berth-live.path"),
        .file("/usr/lib/udev/rules.d/90-berth.rules"),
        .enabling(unit: "berth-reconcile.service"), .enabling(unit: "berth-reconcile.path"),
        .enabling(unit: "berth-live.path"), nil,
      ])
  }

  @Test func readsTheCommandLine() {
    let parameters = InstallationReader.parameters(
      "root=/dev/sda1 quiet dyndbg=\"file a.c +p\" hugepages=0:4,1:8")
    #expect(parameters.map(\.name) == ["root", "quiet", "dyndbg", "hugepages"])
    #expect(parameters.map(\.value) == ["/dev/sda1", "", "file a.c +p", "0:4,1:8"])
  }

  @Test func readsHooksInTheOrderInWhichTheyRun() throws {
    let hooks = try facts(
      """
      usr/sbin/berth*\tx
      etc/libvirt/qemu.conf\t
      etc/libvirt/hooks/qemu.d/zz -> ../../../../usr/sbin/berth
      etc/libvirt/hooks/qemu.d/aa*\tx
      etc/libvirt/hooks/qemu.d/bb\tx
      etc/libvirt/hooks/qemu.d/gone -> /usr/local/sbin/gone
      etc/libvirt/hooks/qemu -> /usr/sbin/berth
      """
    ).hooks
    #expect(
      hooks.map(\.path.lastPart) == ["qemu", "aa", "bb", "gone", "zz"])
    #expect(hooks.map(\.isBerth) == [true, false, false, false, true])
    #expect(hooks.map(\.objection) == [nil, nil, "is not a program", "is not there", nil])
    #expect(hooks[0].target == "/usr/sbin/berth")
  }

  @Test func knowsWhichDaemonRunsTheHooks() throws {
    #expect(try facts("etc/libvirt/qemu.conf\t").libvirtDaemon == "libvirtd")
    #expect(try facts("run/libvirt/virtqemud-sock\t").libvirtDaemon == "virtqemud")
  }

  @Test(arguments: [
    ("libvirtd (enforce)", true), ("/usr/sbin/virtqemud (enforce)", true),
    ("libvirtd (complain)", false), ("libvirt-7d3c9a52 (enforce)", false),
  ])
  func knowsWhetherAppArmorConfinesLibvirt(profile: String, isConfined: Bool) throws {
    let facts = try facts(
      "sys/kernel/security/apparmor/profiles\tman_groff (enforce)\n\t\(profile)")
    #expect(facts.confinesByAppArmor == isConfined)
  }

  @Test func readsWhereHugetlbfsIsMounted() throws {
    let facts = try facts(
      """
      proc/meminfo\tHugepagesize: 2048 kB
      proc/mounts\thugetlbfs /dev/hugepages1G hugetlbfs rw,relatime,pagesize=1024M 0 0
      \thugetlbfs /dev/hugepages hugetlbfs rw,relatime 0 0
      \ttmpfs /run tmpfs rw 0 0
      """)
    #expect(facts.hugetlbfsKiB == [2048, 1 << 20] && facts.defaultHugepageKiB == 2048)
  }

  @Test func countsFreePiecesOfTwoMegabytes() throws {
    let facts = try facts(
      """
      sys/devices/system/cpu/modalias\tcpu:type:x86,ven0002fam0019mod0021:feature:,0000
      proc/buddyinfo\tNode 0, zone    DMA32      9  8  7  6  5  4  3  2  1      4    10
      \tNode 0, zone   Normal      9  8  7  6  5  4  3  2  1      1     2
      \tNode 1, zone   Normal      9  8  7  6  5  4  3  2  1      0     0
      """)
    #expect(facts.freeBlocks == [0: 4 + 20 + 1 + 4, 1: 0])
  }

  @Test func readsSwapAndWhatTheKernelDoesToMemory() throws {
    let facts = try facts(
      """
      proc/swaps\tFilename  Type  Size  Used  Priority
      \t/dev/dm-1 partition 8388604 0 -2
      sys/kernel/mm/ksm/run\t1
      proc/sys/kernel/numa_balancing\t0
      sys/kernel/iommu_groups/0/
      sys/kernel/iommu_groups/1/
      sys/fs/selinux/enforce\t1
      etc/pve/qemu-server/
      """)
    #expect(facts.swaps == ["/dev/dm-1"] && facts.ksm == "1" && facts.numaBalancing == "0")
    #expect(facts.iommuGroups == 2 && facts.enforcesSELinux)
    #expect(facts.hasProxmox && !facts.hasLibvirt)
  }
}

extension String {
  fileprivate var lastPart: String { split(separator: "/").last.map(String.init) ?? "" }
}
