import Bytes
import Formats
import HostModel
import Port
import Recorded
import Support
import Testing

/// A recorded host must answer a write as a kernel would, not as a folder does.
struct RecordedKernelTests {
  private static let pool: HostPath = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB"
  private static let gpu: HostPath = "/sys/bus/pci/devices/0000:41:00.0"

  private func errno(_ body: () throws -> Void) -> Int32? {
    do {
      try body()
      return 0
    } catch {
      return (error as? HostError)?.errno
    }
  }

  @Test func neverMakesAFile() throws {
    let host = try Workstation()
    #expect(errno { try host.kernel.write("1", to: "/sys/kernel/mm/ksm/run") } == 2)
    #expect(!host.kernel.exists("/sys/kernel/mm/ksm/run"))
  }

  @Test func leavesNothingOfALongerValue() throws {
    let host = try Workstation()
    try host.kernel.write("1", to: "/proc/sys/kernel/sched_rt_runtime_us")
    #expect(try host.kernel.text(of: "/proc/sys/kernel/sched_rt_runtime_us") == "1\n")
  }

  @Test(arguments: [
    "/etc/passwd", "../../../../../../etc/passwd", "../../sys/../../../../etc/passwd",
  ])
  func neverLeavesItsRoot(target: String) throws {
    let host = try Workstation()
    try host.add("etc/berth/out -> \(target)")
    #expect(errno { _ = try host.kernel.text(of: "/etc/berth/out") } == 2)
    #expect(errno { _ = try host.kernel.text(of: "/../../../../../../etc/passwd") } == 22)
    #expect(try host.kernel.destination(of: "/etc/berth/out") == target)
    try host.add("etc/passwd\tinside")
    #expect(try host.word("/etc/berth/out") == "inside")
  }

  @Test func refusesARingOfLinks() throws {
    let host = try Workstation()
    try host.add("etc/a -> b\netc/b -> a")
    #expect(errno { _ = try host.kernel.text(of: "/etc/a") } == 40)
  }

  @Test func neverWritesToTheRunningHost() {
    #expect(errno { try RecordedKernel(root: "/").write("3", to: "/proc/sys/vm/swappiness") } == 30)
  }

  @Test(arguments: [
    ("/proc/sys/vm/drop_caches", "3", Int32(0)), ("/proc/sys/vm/drop_caches", "9", 22),
    ("/sys/devices/system/node/node1/compact", "1", 0),
    ("/proc/irq/25/smp_affinity_list", "0", 1), ("/proc/irq/24/smp_affinity_list", "99", 22),
    ("/proc/irq/24/smp_affinity_list", "x", 22), ("/proc/irq/24/smp_affinity_list", "3,2,1", 0),
    ("/sys/bus/pci/drivers/igb/unbind", "0000:41:00.0", 19),
    ("/sys/bus/pci/drivers/igb/unbind", "0000:99:00.0", 19),
    ("/sys/bus/pci/drivers/vfio-pci/bind", "0000:41:00.0", 16),
    ("/sys/bus/pci/drivers_probe", "0000:99:00.0", 19),
    ("/sys/bus/pci/drivers_probe", "0000:41:00.0", 0),
    ("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "-1", 22),
    ("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "100000", 0),
    ("/sys/fs/cgroup/system.slice/cpuset.cpus.partition", "exclusive", 22),
    ("/sys/fs/cgroup/system.slice/cpuset.cpus", "0-99", 34),
  ])
  func answersAsTheKernelDoes(path: String, text: String, number: Int32) throws {
    let host = try Workstation()
    #expect(errno { try host.kernel.write(text, to: HostPath(foreign: path)) } == number)
  }

  @Test func refusesAndHangsWhereTheRecordSaysSo() throws {
    let host = try Workstation()
    let unbind: HostPath = "/sys/bus/pci/drivers/nouveau/unbind"
    try host.add("recorded/limits\t\(unbind) hangs yes\n\t/proc/sys/vm/stat_interval refuses 16")
    #expect(
      errno { try host.kernel.write("0000:41:00.0", to: unbind, until: host.kernel.now) } == 110)
    #expect(errno { try host.kernel.write("5", to: "/proc/sys/vm/stat_interval") } == 16)
  }

  @Test func showsInterruptsInTheKernelsForm() throws {
    let host = try Workstation()
    try host.kernel.write("3,2,9", to: "/proc/irq/24/smp_affinity_list")
    #expect(try host.word("/proc/irq/24/smp_affinity_list") == "2-3,9")
    #expect(try host.word("/proc/irq/24/effective_affinity_list") == "2")
    try host.kernel.write("ff", to: "/proc/irq/24/smp_affinity")
    #expect(try host.word("/proc/irq/24/smp_affinity_list") == "0-7")
  }

  // MARK: Huge pages

  /// Total, free and surplus pages of node 1.
  private func counts(_ host: Workstation) throws -> [Int] {
    try ["nr", "free", "surplus"].map { kind in
      try #require(Int(try host.word("\(Self.pool)/\(kind)_hugepages")))
    }
  }

  @Test func grantsWhatTheNodeHasAndMoreOnceCompacted() throws {
    let host = try Workstation()
    try host.kernel.write("8192", to: "\(Self.pool)/nr_hugepages")
    #expect(try counts(host) == [7936, 7936, 0])
    try host.kernel.write("1", to: "/sys/devices/system/node/node1/compact")
    try host.kernel.write("8192", to: "\(Self.pool)/nr_hugepages")
    #expect(try counts(host) == [8192, 8192, 0])
    #expect(try host.word("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages") == "8192")
    #expect(try host.kernel.text(of: "/proc/meminfo").contains("HugePages_Total:    8192\n"))
  }

  @Test func grantsNoMoreThanFreeMemory() throws {
    let host = try Workstation()
    let path: HostPath = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
    try host.kernel.write("100000", to: path)
    #expect(try host.word(path) == "\(43_040_768 / 2048)")
  }

  @Test func turnsUsedPagesIntoSurplusUntilTheyAreFree() throws {
    let host = try Workstation()
    try host.kernel.write("1", to: "/sys/devices/system/node/node1/compact")
    try host.kernel.write("9000", to: "\(Self.pool)/nr_hugepages")
    try host.startGaming()
    #expect(try counts(host) == [9000, 808, 0])
    try host.kernel.write("100", to: "\(Self.pool)/nr_hugepages")
    #expect(try counts(host) == [8192, 0, 8092])
    try host.kernel.write("200", to: "\(Self.pool)/nr_hugepages")
    #expect(try counts(host) == [8192, 0, 7992])
    try host.stopGaming()
    #expect(try counts(host) == [200, 200, 0])
  }

  // MARK: PCI drivers

  @Test func handsAFunctionOverAndBack() throws {
    let host = try Workstation()
    let kernel = host.kernel
    let before = try kernel.destination(of: "\(Self.gpu)/driver")
    try kernel.write("vfio-pci", to: "\(Self.gpu)/driver_override")
    try kernel.write("0000:41:00.0", to: "\(Self.gpu)/driver/unbind")
    #expect(!kernel.exists("\(Self.gpu)/driver"))
    #expect(!kernel.exists("\(Self.gpu)/drm"))
    try kernel.write("0000:41:00.0", to: "/sys/bus/pci/drivers_probe")
    #expect(try kernel.destination(of: "\(Self.gpu)/driver").hasSuffix("/drivers/vfio-pci"))
    #expect(kernel.exists("/sys/bus/pci/drivers/vfio-pci/0000:41:00.0/class"))

    try kernel.write("\n", to: "\(Self.gpu)/driver_override")
    #expect(try host.word("\(Self.gpu)/driver_override") == "(null)")
    try kernel.write("0000:41:00.0", to: "\(Self.gpu)/driver/unbind")
    try kernel.write("0000:41:00.0", to: "/sys/bus/pci/drivers_probe")
    #expect(try kernel.destination(of: "\(Self.gpu)/driver") == before)
    #expect(kernel.exists("\(Self.gpu)/drm/card1"))
  }

  @Test func bindsOnlyTheDriverThatFits() throws {
    let host = try Workstation()
    try host.kernel.write("0000:41:00.0", to: "\(Self.gpu)/driver/unbind")
    let bind = { (driver: String) in
      try host.kernel.write("0000:41:00.0", to: "/sys/bus/pci/drivers/\(driver)/bind")
    }
    #expect(errno { try bind("vfio-pci") } == 19)
    try host.kernel.write("vfio-pci", to: "\(Self.gpu)/driver_override")
    #expect(errno { try bind("nouveau") } == 19)
    #expect(errno { try bind("vfio-pci") } == 0)
  }

  @Test func leavesAFunctionUnboundWhoseOverrideNamesNoDriver() throws {
    let host = try Workstation()
    try host.kernel.write("vfoi-pci", to: "\(Self.gpu)/driver_override")
    try host.kernel.write("0000:41:00.0", to: "\(Self.gpu)/driver/unbind")
    try host.kernel.write("0000:41:00.0", to: "/sys/bus/pci/drivers_probe")
    #expect(!host.kernel.exists("\(Self.gpu)/driver"))
  }

  // MARK: CPUs

  private static let scope: HostPath =
    "/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"

  private func isolate(_ host: Workstation, _ vcpu: Int, _ cpu: Int) throws {
    let group: HostPath = "\(Self.scope)/libvirt/vcpu\(vcpu)"
    try host.kernel.write("\(cpu)", to: "\(group)/cpuset.cpus.exclusive")
    try host.kernel.write("isolated", to: "\(group)/cpuset.cpus.partition")
  }

  @Test func takesAPartitionsCPUsFromEveryOtherCgroup() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    for group in ["/sys/fs/cgroup/machine.slice", Self.scope, "\(Self.scope)/libvirt"] {
      try host.kernel.write("5,13", to: "\(group)/cpuset.cpus.exclusive")
    }
    try isolate(host, 0, 5)
    try isolate(host, 1, 13)
    let word = { (path: String) in try host.word("/sys/fs/cgroup/\(below: path)") }
    #expect(try word("cpuset.cpus.isolated") == "5,13")
    for group in ["", "init.scope/", "system.slice/", "user.slice/", "machine.slice/"] {
      #expect(try word("\(group)cpuset.cpus.effective") == "0-4,6-12,14-15")
    }
    #expect(try host.word("\(Self.scope)/libvirt/vcpu0/cpuset.cpus.effective") == "5")
    #expect(try host.kernel.affinity(of: 1).description == "0-4,6-12,14-15")
    #expect(try host.kernel.affinity(of: 4260) == [5])

    try host.kernel.write("member", to: "\(Self.scope)/libvirt/vcpu0/cpuset.cpus.partition")
    #expect(try word("cpuset.cpus.isolated") == "13")
    try host.stopGaming()
    #expect(try word("cpuset.cpus.isolated") == "")
    #expect(try word("user.slice/cpuset.cpus.effective") == "0-15")
  }

  @Test func readsBackAPartitionThatCannotBe() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    try isolate(host, 0, 5)
    let state = try host.word("\(Self.scope)/libvirt/vcpu0/cpuset.cpus.partition")
    #expect(state == "isolated invalid (Invalid cpu list in cpuset.cpus.exclusive)")
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "")
  }

  @Test func keepsSiblingsExclusive() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let group: HostPath = "\(Self.scope)/libvirt"
    try host.kernel.write("5", to: "\(group)/vcpu0/cpuset.cpus.exclusive")
    #expect(
      errno { try host.kernel.write("5-6", to: "\(group)/vcpu1/cpuset.cpus.exclusive") } == 22)
  }

  @Test(arguments: [
    ("init.scope", "/run/systemd/transient/init.scope.d/50-AllowedCPUs.conf"),
    ("system.slice", "/run/systemd/system.control/system.slice.d/50-AllowedCPUs.conf"),
  ])
  func keepsAllowedCPUsInADropIn(unit: String, path: String) throws {
    let host = try Workstation()
    #expect(try host.systemd.allowedCPUs(of: unit, until: .distant) == [])
    try host.systemd.setAllowedCPUs([0, 1, 8], of: unit, until: .distant)
    #expect(try host.systemd.allowedCPUs(of: unit, until: .distant) == [0, 1, 8])
    #expect(try host.kernel.text(of: HostPath(foreign: path)).contains("AllowedCPUs=0-1,8\n"))
    #expect(try host.word("/sys/fs/cgroup/\(unit)/cpuset.cpus.effective") == "0-1,8")
  }

  @Test func staysConfinedWhenEmptiedAndDoesNotWhenWidenedFirst() throws {
    let host = try Workstation()
    let effective = { try host.word("/sys/fs/cgroup/user.slice/cpuset.cpus.effective") }
    try host.systemd.setAllowedCPUs([0, 1], of: "user.slice", until: .distant)
    try host.systemd.setAllowedCPUs([], of: "user.slice", until: .distant)
    #expect(try host.systemd.allowedCPUs(of: "user.slice", until: .distant) == [])
    #expect(try effective() == "0-1")
    try host.systemd.setAllowedCPUs(CPUList(0..<16), of: "user.slice", until: .distant)
    try host.systemd.setAllowedCPUs([], of: "user.slice", until: .distant)
    #expect(try effective() == "0-15")
  }

  @Test(arguments: ["gone.slice", "../init.scope", ""])
  func knowsOnlyUnitsOfTheHost(unit: String) throws {
    let host = try Workstation()
    #expect(errno { _ = try host.systemd.allowedCPUs(of: unit, until: .distant) } == 2)
    #expect(errno { try host.systemd.setAllowedCPUs([0], of: unit, until: .distant) } == 2)
  }

  // MARK: Threads

  @Test func trimsAnAffinityToTheCgroup() throws {
    let host = try Workstation()
    try host.systemd.setAllowedCPUs([0, 1, 2], of: "system.slice", until: .distant)
    try host.kernel.setAffinity([2, 9], of: 640)
    #expect(try host.kernel.affinity(of: 640) == [2])
    #expect(errno { try host.kernel.setAffinity([9], of: 640) } == 22)
    #expect(errno { try host.kernel.setAffinity([0], of: 99999) } == 3)
  }

  @Test func remembersNothingThatHasChanged() throws {
    let host = try Workstation()
    let interrupt: HostPath = "/proc/irq/24/smp_affinity_list"
    #expect(try host.kernel.affinity(of: 2) == CPUList(0...15))
    #expect(host.kernel.isWritable(interrupt))
    let other = RecordedKernel(root: host.root)
    try other.write("4-7", to: "/sys/fs/cgroup/system.slice/cpuset.cpus.exclusive")
    try other.write("isolated", to: "/sys/fs/cgroup/system.slice/cpuset.cpus.partition")
    try host.add("recorded/limits\t\(interrupt) managed yes")
    #expect(try host.kernel.affinity(of: 2) == [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15])
    #expect(!host.kernel.isWritable(interrupt))
    try host.add("proc/sys/kernel/osrelease\t6.8.0")
    #expect(host.kernel.isWritable(interrupt))
  }

  @Test func findsAThreadThatHasMoved() throws {
    let host = try Workstation()
    let numbers = try host.kernel.entries(of: "/proc")
    #expect(numbers.contains("640"))
    #expect(try host.kernel.affinity(of: 640) == CPUList(0...15))
    try host.remove("/proc/640")
    #expect(errno { _ = try host.kernel.affinity(of: 640) } == 3)
    try host.add(
      """
      proc/702/task/640/stat\t640 (x) S 1
      proc/702/task/640/status\tCpus_allowed_list:\\t3
      """)
    #expect(try host.kernel.affinity(of: 640) == [3])
  }

  @Test func keepsASchedulerAndItsFlag() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let other = ThreadScheduler(policy: 0, priority: 0, resetsOnFork: false)
    #expect(try host.kernel.scheduler(of: 4261) == other)
    try host.kernel.setScheduler(.fifo(priority: 1), of: 4261)
    #expect(try host.kernel.scheduler(of: 4261) == .fifo(priority: 1))
    #expect(try host.kernel.scheduler(of: 4260) == other)
    #expect(errno { try host.kernel.setScheduler(.fifo(priority: 0), of: 4261) } == 22)
    try host.stopGaming()
    try host.prepareAndStartGaming()
    #expect(try host.kernel.scheduler(of: 4261) == other)
  }

  // MARK: Hosts in one file

  @Test func leavesNothingOfADomainThatFindsTooFewPages() throws {
    let host = try Workstation()
    let before = try contents(of: .root, host)
    #expect(errno { try host.startGaming() } == 12)
    #expect(try contents(of: .root, host) == before)
  }

  @Test func leavesNoTraceOfADomainThatCameAndWent() throws {
    let host = try Workstation()
    try host.kernel.write("1", to: "/sys/devices/system/node/node1/compact")
    try host.kernel.write("8192", to: "\(Self.pool)/nr_hugepages")
    let before = try contents(of: .root, host)
    try host.startGaming()
    #expect(try contents(of: .root, host) != before)
    try host.stopGaming()
    #expect(try contents(of: .root, host) == before)
  }

  private func contents(of path: HostPath, _ host: Workstation) throws -> [String] {
    var lines: [String] = []
    for name in try host.kernel.entries(of: path) {
      let place: HostPath = "\(path)/\(name)"
      if let target = try? host.kernel.destination(of: place) {
        lines.append("\(place) -> \(target)")
      } else if let text = try? host.kernel.text(of: place) {
        lines.append("\(place) \(text)")
      } else {
        lines += ["\(place)/"] + (try contents(of: place, host))
      }
    }
    return lines
  }

  @Test(arguments: [
    ("\tlost", 1), ("a\tb\nwhat is this", 2), ("../etc/x\ty", 1), ("/etc/x\ty", 1),
    ("# note\n\na += x", 3),
  ])
  func saysWhichLineOfAHostIsWrong(text: String, line: Int) {
    let error = #expect(throws: HostError.self) {
      try RecordedHost(parsing: text, from: "x.host")
    }
    #expect(error?.diagnosis?.hasPrefix("line \(line): ") == true)
  }

  @Test func readsEveryKindOfLine() throws {
    let host = try Workstation()
    try host.add("# note\n\na\\\\x2d\tone\\ttab\n\ttwo\nb\tno end\\c\nc -> /a\\\\x2d\nd/e/\n")
    #expect(try host.kernel.text(of: "/a\\x2d") == "one\ttab\ntwo\n")
    #expect(try host.kernel.text(of: "/c") == "one\ttab\ntwo\n")
    #expect(try host.kernel.text(of: "/b") == "no end")
    #expect(try host.kernel.entries(of: "/d") == ["e"])
  }

  @Test func erasesOnlyRecords() {
    #expect(errno { try RecordedHost.erase("/etc") } == 22)
  }
}
