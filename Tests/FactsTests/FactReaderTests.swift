import Bytes
import Facts
import Glibc
import HostModel
import Port
import Recorded
import Support
import Testing

/// Facts must be those of the host, nothing more may be read than was asked for, and a host that
/// lacks a file is a host without that feature, not an error.
struct FactReaderTests {
  private func facts(_ kernel: any KernelReader, _ needs: FactNeeds) throws -> HostFacts {
    try FactReader(kernel: kernel).facts(for: Workstation.domain, needing: needs)
  }

  private func facts(_ host: Workstation, _ ask: (inout FactNeeds) -> Void) throws -> HostFacts {
    var needs = FactNeeds()
    ask(&needs)
    return try facts(host.kernel, needs)
  }

  @Test(arguments: [("0", 0), ("64", 64), ("18446744073709551552", 0)])
  func takesReservationsThatFellBelowZeroForNone(word: String, reserved: Int) throws {
    let host = try Workstation()
    try host.add("sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages\t\(word)\n")
    let sizes = try facts(host) { $0.nodes = true }.hugepageSizes
    #expect(sizes.first { $0.pageKiB == 2048 }?.reserved == reserved)
  }

  @Test func readsOnlyTheKernelsReleaseUnasked() throws {
    var expected = HostFacts()
    expected.kernel = KernelVersion(major: 6, minor: 12)
    #expect(try facts(Workstation()) { _ in } == expected)
  }

  @Test(arguments: [("kcompactd1", true), ("irq/26-pciehp", false)])
  func keepsKernelThreadsButThoseThatFollowAnInterrupt(name: String, isKept: Bool) throws {
    let host = try Workstation()
    let rest = Array(repeating: "0", count: 31).joined(separator: " ")
    let fields = "S 2 0 0 0 -1 2097216 0 0 0 0 0 0 0 0 20 0 1 0 77 \(rest)"
    for folder in ["proc/91", "proc/91/task/91"] {
      try host.add("\(folder)/comm\t\(name)")
      try host.add("\(folder)/stat\t91 (\(name)) \(fields)")
      try host.add(
        "\(folder)/status\tName:\\t\(name)\\nCpus_allowed:\\tf0\\nCpus_allowed_list:\\t4-7")
      try host.add("\(folder)/cgroup\t0::/")
    }
    let tasks = try facts(host) { $0.pinnedTasks = true }.pinnedTasks
    #expect(tasks.contains { $0.tid == 91 } == isKept)
  }

  /// Linux 6.1 has threads of vhost in the kernel, and forgets the CPUs of every task.
  @Test func looksAtEveryProcessOnce() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    try host.add("proc/sys/kernel/osrelease\t6.1.0-40-amd64")
    let counting = Counting(host.kernel)
    var needs = FactNeeds()
    needs.pinnedTasks = true
    needs.process = true
    needs.kernelWork = .always
    _ = try FactReader(kernel: counting).facts(for: Workstation.domain, needing: needs)
    #expect(counting.reads["/proc"] == 1)
    for pid in [1, 2, 640, 702] { #expect(counting.reads["/proc/\(pid)/stat"] == 1, "\(pid)") }
    // QEMU must be the same before and after its threads are read.
    #expect(counting.reads["/proc/4242/stat"] == 3)
  }

  @Test func findsCoresByTheirSiblings() throws {
    let host = try Workstation()
    let facts = try facts(host) { $0.cores = true }
    #expect(facts.possibleCPUs.description == "0-15")
    #expect(facts.cores.map(\.description) == (0..<8).map { "\($0),\($0 + 8)" })
  }

  @Test func leavesOfflineCPUsOutOfCores() throws {
    let host = try Workstation()
    try host.add("sys/devices/system/cpu/online\t0-8,10-15")
    let facts = try facts(host) { $0.cores = true }
    #expect(facts.possibleCPUs.count == 16)
    #expect(facts.cores.first { $0.contains(1) } == [1])
  }

  @Test func readsNodesAndPools() throws {
    let host = try Workstation()
    try host.kernel.write(
      "100", to: "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages")
    let facts = try facts(host) { $0.nodes = true }
    #expect(facts.nodes.map(\.cpus.description) == ["0-3,8-11", "4-7,12-15"])
    #expect(facts.nodes.map(\.memoryKiB) == [65_787_220, 65_883_644])
    #expect(facts.nodes[1].freeKiB == 53_428_224 - 100 * 2048)
    #expect(
      facts.nodes[1].pools == [
        PoolFacts(pageKiB: 2048, total: 100, free: 100, surplus: 0),
        PoolFacts(pageKiB: 1_048_576, total: 0, free: 0, surplus: 0),
      ])
    #expect(facts.hugepageSizes.map(\.free) == [100, 0])
    #expect(facts.defaultHugepageKiB == 2048)
    #expect(!facts.hasZFS)
  }

  /// The free pages of the host and of its nodes, each as of another moment, would tell of pages that
  /// are promised twice.
  @Test(arguments: ["nr_hugepages", "free_hugepages", "surplus_hugepages"])
  func readsPoolsAnewThatSomebodyChangesMeanwhile(file: String) throws {
    let host = try Workstation()
    let pool: HostPath = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB"
    let counting = Counting(host.kernel)
    counting.interruptions["\(pool)/\(file)"] = {
      #expect(throws: Never.self) { try host.kernel.write("100", to: "\(pool)/nr_hugepages") }
    }
    var needs = FactNeeds()
    needs.nodes = true
    let facts = try facts(counting, needs)
    #expect(facts.nodes[1].pools[0].free == facts.hugepageSizes[0].free)
    #expect(facts.nodes[1].pools[0].total == facts.nodes[1].pools[0].free)
  }

  @Test func takesAHostWithoutNodesForOneNode() throws {
    let host = try Workstation()
    let bare = WithoutPrefix(kernel: host.kernel, prefix: "/sys/devices/system/node")
    var needs = FactNeeds()
    needs.nodes = true
    let facts = try facts(bare, needs)
    #expect(facts.nodes.map(\.id) == [0])
    #expect(facts.nodes.first?.cpus.description == "0-15")
    #expect(facts.nodes.first?.memoryKiB == 131_670_864)
    #expect(facts.nodes.first?.pools.map(\.pageKiB) == [2048, 1_048_576])
  }

  @Test(arguments: ["sys/module/zfs/", "proc/spl/"])
  func noticesZFS(trace: String) throws {
    let host = try Workstation()
    try host.add(trace)
    #expect(try facts(host) { $0.nodes = true }.hasZFS)
  }

  @Test(arguments: [
    ("0000:41:00.0", "nouveau", 0x030000, 1, 20, ["0000:40:01.0", "0000:41:00.1"], [String]()),
    ("0000:41:00.1", "snd_hda_intel", 0x040300, 1, 20, ["0000:40:01.0", "0000:41:00.0"], []),
    ("0000:42:00.0", "igb", 0x020000, 1, 21, [], []),
    ("0000:02:00.0", "i40e", 0x020000, 0, 15, [], ["carries the default route (eno1)"]),
    (
      "0000:03:00.0", "ast", 0x030000, 0, 16, [],
      ["/dev/dri/card0 is open in Xorg (process 702)"]
    ),
    (
      "0000:01:00.0", "nvme", 0x010802, 0, 14, [],
      [
        "mounted at /boot/efi (nvme0n1p1)", "mounted at / (nvme0n1p2)", "swap (nvme0n1p3)",
      ]
    ),
    ("0000:43:00.0", "nvme", 0x010802, 1, 23, [], ["part of vms-images (nvme1n1p1)"]),
  ])
  func readsFunctionsAndTheHostsUsesOfThem(
    text: String, driver: String, classCode: Int, node: Int, group: Int, siblings: [String],
    uses: [String]
  ) throws {
    let address = try #require(PCIAddress(text))
    let host = try Workstation()
    let function = try #require(try facts(host) { $0.functions = [address] }.functions.first)
    #expect(function.binding == DriverBinding(driver: driver, override: nil))
    #expect(function.classCode == classCode)
    #expect(function.node == node)
    #expect(function.iommuGroup == group)
    #expect(function.groupSiblings.map(\.address.description) == siblings)
    let openings = function.users.map { "\($0.file) is open in \($0.name) (process \($0.pid))" }
    #expect(function.hostUses.map(\.description) + openings == uses)
  }

  private static let spare = "sys/devices/pci0000:40/0000:40:02.0/0000:42:00.0"
  private static let data = "sys/devices/pci0000:40/0000:40:03.0/0000:43:00.0"

  /// What makes a function of the workstation one that the host uses, and the phrase for it.
  @Test(arguments: [
    (
      "0000:42:00.0",
      """
      \(spare)/net/enp66s0f0/flags\t0x1003
      \(spare)/net/enp66s0f0/master -> ../../../../../../virtual/net/vmbr0
      sys/devices/virtual/net/vmbr0/flags\t0x1003
      sys/class/net/vmbr0 -> ../../devices/virtual/net/vmbr0
      sys/class/net/bonding_masters\t\\c
      """, "below vmbr0, which is up (enp66s0f0)"
    ),
    (
      "0000:42:00.0",
      """
      \(spare)/net/enp66s0f0/flags\t0x1003
      \(spare)/net/enp66s0f0/master -> ../../../../../../virtual/net/ovs-system
      """, "below ovs-system, which is up (enp66s0f0)"
    ),
    (
      "0000:42:00.0",
      """
      \(spare)/net/enp66s0f0/flags\t0x1003
      proc/net/if_inet6\t20010db8000000000000000000000001 03 40 00 80 enp66s0f0
      """, "has an address (enp66s0f0)"
    ),
    ("0000:42:00.0", "\(spare)/sriov_numvfs\t2", "2 virtual functions are made from it"),
    (
      "0000:43:00.0",
      """
      sys/class/nvme-subsystem/nvme-subsys1/nvme1/
      sys/class/nvme-subsystem/nvme-subsys1/nvme1n7/
      sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n7/dev\t259:70
      sys/class/block/nvme1n7 -> ../../devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n7
      proc/1/mountinfo\t70 28 259:70 / /srv/a\\\\040b rw - ext4 /dev/nvme1n7 rw
      """, "mounted at /srv/a b (nvme1n7)"
    ),
    (
      "0000:43:00.0",
      "sys/fs/btrfs/4b1c5b0e/devices/nvme1n1 -> ../../../../devices/x/nvme1n1",
      "part of a mounted btrfs (nvme1n1)"
    ),
    (
      "0000:43:00.0", "proc/mdstat\tmd9 : inactive nvme1n1[0](S)\n",
      "part of the array md9 (nvme1n1)"
    ),
    ("0000:43:00.0", "sys/class/block/nvme1n1/bcache/", "part of bcache (nvme1n1)"),
    (
      "0000:43:00.0",
      """
      sys/devices/virtual/block/loop2/loop/backing_file\t/dev/nvme1n1
      sys/class/block/loop2 -> ../../devices/virtual/block/loop2
      """, "below loop2 (nvme1n1)"
    ),
    (
      "0000:43:00.0",
      "sys/kernel/config/target/core/iblock_0/d/udev_path\t/dev/nvme1n1",
      "exported by LIO as d (nvme1n1)"
    ),
    (
      "0000:43:00.0",
      """
      sys/class/nvme-subsystem/nvme-subsys1/nvme1/
      sys/class/nvme-subsystem/nvme-subsys1/nvme1n7/
      sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n7/dev\t259:70
      sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n7/nvme1n7p1/dev\t259:71
      sys/class/block/nvme1n7 -> ../../devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n7
      sys/class/block/nvme1n7p1 -> ../../devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n7/nvme1n7p1
      run/udev/data/b259:71\tE:ID_FS_TYPE=zfs_member
      """, "a member of a ZFS pool (nvme1n7p1)"
    ),
  ])
  func seesEveryKindOfUse(text: String, change: String, use: String) throws {
    let address = try #require(PCIAddress(text))
    let host = try Workstation()
    try host.add(change)
    let function = try #require(try facts(host) { $0.functions = [address] }.functions.first)
    #expect(function.hostUses.map(\.description).contains(use), "\(function.hostUses)")
  }

  private static let gpus = "proc/driver/nvidia/gpus"
  private static let clients =
    "proc/640/fd/7 -> /dev/nvidia3\nproc/702/fd/9 -> /dev/nvidiactl\nproc/702/comm\tX\n"

  /// What NVIDIA's driver says of its GPUs, and who has the one in question open.
  @Test(arguments: [
    ("\(gpus)/0000:41:00.0/information\tModel: \\t A\\nDevice Minor: \\t 3\n", [640, 702]),
    ("", [640, 702]),
    (
      "\(gpus)/0000:41:00.0/information\tDevice Minor: 3\n\(gpus)/0000:81:00.0/information\tA\n",
      [640]
    ),
    (
      "\(gpus)/0000:41:00.0/information\tDevice Minor: 1\n\(gpus)/0000:81:00.0/information\tA\n",
      []
    ),
  ])
  func countsTheUsersOfOneGPUAmongSeveral(information: String, users: [Int]) throws {
    let address = try #require(PCIAddress("0000:41:00.0"))
    let host = try Workstation()
    try host.add(
      "\(information)\(Self.clients)sys/devices/pci0000:40/0000:40:01.0/0000:41:00.0/driver -> "
        + "../../../../bus/pci/drivers/nvidia\n")
    let function = try #require(try facts(host) { $0.functions = [address] }.functions.first)
    #expect(function.users.map(\.pid) == users)
  }

  /// Who has a function of VFIO's, by its group or by itself, but for the VM's own QEMU.
  @Test(arguments: ["/dev/vfio/21", "/dev/vfio/devices/vfio3"])
  func countsTheUsersOfAFunctionOfVFIOs(file: String) throws {
    let address = try #require(PCIAddress("0000:42:00.0"))
    let host = try Workstation()
    try host.add(
      """
      sys/devices/pci0000:40/0000:40:02.0/0000:42:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci
      sys/devices/pci0000:40/0000:40:02.0/0000:42:00.0/vfio-dev/vfio3/
      proc/640/comm\tqemu
      proc/640/fd/9 -> \(file)
      proc/641/fd/9 -> /dev/vfio/22
      proc/642/fd/9 -> /dev/vfio/vfio

      """)
    func users() throws -> [Int] {
      try #require(try facts(host) { $0.functions = [address] }.functions.first).users.map(\.pid)
    }
    #expect(try users() == [640])
    try host.prepareAndStartGaming()
    try host.add("proc/4242/fd/90 -> \(file)\n")
    #expect(try users() == [640])
    try host.add("sys/module/vfio_pci/refcnt\t1\n")
    #expect(try users() == [640])
    // Nobody has any function of the driver's.
    try host.add("sys/module/vfio_pci/refcnt\t0\n")
    #expect(try users() == [])
  }

  @Test func leavesOutAFunctionThatIsNotThere() throws {
    let absent = try #require(PCIAddress("0000:99:00.0"))
    #expect(try facts(Workstation()) { $0.functions = [absent] }.functions.isEmpty)
  }

  @Test func readsWhoeverIsNotOnTheWayToTheDomain() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    for group in ["lxc.payload.web", "kubepods.slice", "dev-mqueue.mount", "machine.slice/x.scope"]
    {
      try host.add("sys/fs/cgroup/\(group)/cgroup.procs\t\\c")
    }
    try host.kernel.write("2", to: "/sys/fs/cgroup/user.slice/cpuset.cpus")
    try host.kernel.write("root", to: "/sys/fs/cgroup/user.slice/cpuset.cpus.partition")
    let facts = try facts(host) {
      $0.cpusets = true
      $0.cpus = true
      $0.units = true
      $0.process = true
    }
    #expect(
      facts.units.map(\.name) == [
        "init.scope", "kubepods.slice", "system.slice",
        "machine.slice/systemd-nspawn@web.service", "machine.slice/x.scope",
      ])
    #expect(facts.unmanagedGroups == ["lxc.payload.web"])
    #expect(facts.partitionedCPUs == [2] && facts.hasExclusiveCPUs)
    #expect(facts.cpusets == .unified)
    #expect(
      facts.process?.otherGroups.map { "\($0.name) \($0.cpus)" } == [
        "emulator 4,12", "iothread1 4,12",
      ])
  }

  @Test func readsUnitsAndTheRealtimeLimit() throws {
    let facts = try facts(Workstation()) {
      $0.units = true
      $0.realtimeLimit = true
    }
    // In which of libvirt's scopes a domain is that does not run, nobody can tell.
    #expect(facts.units.map(\.name) == ["init.scope", "system.slice", "user.slice"])
    #expect(facts.realtimeRuntimeMicroseconds == 950_000)
  }

  @Test(arguments: [
    ("6.12.48+deb13-amd64", 6, 12), ("7.1-rc3", 7, 1), ("6.8.12-13-pve", 6, 8),
  ])
  func readsTheKernelsRelease(text: String, major: Int, minor: Int) throws {
    let host = try Workstation()
    try host.add("proc/sys/kernel/osrelease\t\(text)")
    #expect(try facts(host) { _ in }.kernel == KernelVersion(major: major, minor: minor))
  }

  @Test func saysWhichFileIsWrong() throws {
    let host = try Workstation()
    try host.add("sys/devices/system/cpu/online\t0-x")
    let error = #expect(throws: HostError.self) { try facts(host) { $0.cores = true } }
    #expect(error?.place == "/sys/devices/system/cpu/online")
    #expect(error?.description.contains("0-x") == true)
  }

  @Test func readsTheHostThatTheTestRunsOn() throws {
    var needs = FactNeeds()
    needs.cpus = true
    needs.cores = true
    needs.nodes = true
    needs.units = true
    needs.realtimeLimit = true
    let live = RecordedKernel(root: "/")
    for name in (try? live.entries(of: "/sys/bus/pci/devices")) ?? [] {
      needs.functions += PCIAddress(name).map { [$0] } ?? []
    }
    let facts = try facts(live, needs)
    #expect(facts.kernel.major > 2)
    #expect(!facts.onlineCPUs.isEmpty)
    #expect(facts.cores.reduce(CPUList()) { $0.union($1) } == facts.onlineCPUs)
    #expect(!facts.nodes.isEmpty)
    #expect(facts.functions.count == needs.functions.count)
  }

  /// Folders with records of other hosts, between colons; their CPUs and nodes must be readable.
  private static let otherHosts = getenv("BERTH_TEST_HOSTS").map {
    String(cString: $0).split(separator: ":").map(String.init)
  }

  @Test(.enabled(if: otherHosts != nil), arguments: otherHosts ?? [])
  func readsTheCPUsAndNodesOfOtherHosts(root: String) throws {
    var needs = FactNeeds()
    needs.cpus = true
    needs.cores = true
    needs.nodes = true
    let kernel = Amended(
      kernel: RecordedKernel(root: root),
      texts: ["/proc/sys/kernel/osrelease": "6.12.0\n"])
    let facts = try facts(kernel, needs)
    #expect(!facts.onlineCPUs.isEmpty && !facts.nodes.isEmpty)
    #expect(facts.cores.reduce(CPUList()) { $0.union($1) } == facts.onlineCPUs)
    let nodes = facts.nodes.map { "\($0.id): \($0.cpus) \($0.memoryKiB) KiB" }
    print(root, facts.cores.count, "cores;", nodes)
  }
}
