import Bytes
import HostModel
import Ledger
import Places
internal import Recorded
import Support
import Testing

/// Every kind of setting, changed on the recorded host and given back.
struct RecordedSettingsTests {
  private static let scope =
    "/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"

  private static func thread(_ tid: Int, _ startTime: UInt64, _ role: ThreadRole) -> HostThread {
    HostThread(pid: 4242, tid: tid, startTime: startTime, role: role)
  }

  private static func function(_ slot: String) -> Setting? {
    PCIAddress(slot).map { .driver($0) }
  }

  @Test(
    arguments: [
      (.hugepagePool(HugepagePool(node: 0, pageKiB: 2048)), .count(512)),
      (.hugepagePool(HugepagePool(node: 1, pageKiB: 1_048_576)), .count(2)),
      (function("0000:42:00.0"), .driver(DriverBinding(driver: "vfio-pci", override: "vfio-pci"))),
      (function("0000:42:00.1"), .driver(DriverBinding(driver: "vfio-pci", override: "vfio-pci"))),
      (
        .allowedCPUs(unit: "init.scope"),
        .allowedCPUs(AllowedCPUs(cpus: [0, 1], hasRuntimeDropIn: true))
      ),
      (
        .allowedCPUs(unit: "system.slice"),
        .allowedCPUs(AllowedCPUs(cpus: [0, 1], hasRuntimeDropIn: true))
      ),
      (.attribute(path: "/proc/irq/24/smp_affinity_list", .cpuList), .cpus([0, 1])),
      (.attribute(path: "/proc/sys/vm/stat_interval", .text), .text("10")),
      (.attribute(path: "\(scope)/libvirt/vcpu0/cpuset.cpus.exclusive", .cpuList), .cpus([5])),
      (.coupled(.dirty), .text("vm.dirty_bytes=268435456")),
      (.coupled(.dirty), .text("vm.dirty_ratio=0")),
      (.coupled(.dirtyBackground), .text("vm.dirty_background_bytes=1")),
      (.coupled(.overcommit), .text("vm.overcommit_kbytes=4")),
      (
        .coupled(.watchdog),
        .text("kernel.watchdog=0 kernel.nmi_watchdog=0 kernel.soft_watchdog=0")
      ),
      (
        .coupled(.watchdog),
        .text("kernel.watchdog=1 kernel.nmi_watchdog=0 kernel.soft_watchdog=1")
      ),
      (.cpuset(group: "machine.slice"), .cpus([0, 1])),
      (.affinity(thread(4272, 8_641_233, .vhost)), .cpus([4])),
      (.scheduler(thread(4260, 8_641_220, .vcpu(0))), .scheduler(.fifo(priority: 1))),
    ] as [(Setting?, Value)])
  func isChangedAndGivenBack(setting: Setting?, value: Value) throws {
    let setting = try #require(setting)
    let recorded = try Workstation()
    try recorded.add(Coupled.lines)
    try recorded.prepareAndStartGaming()
    let host = KernelHost(kernel: recorded.kernel, systemd: recorded.systemd)
    let deadline = host.now.advanced(byMilliseconds: 5_000)
    let original = try #require(try host.read(setting, until: deadline))
    #expect(original != value)
    try host.write(value, to: setting, until: deadline)
    #expect(try host.read(setting, until: deadline) == value)
    try host.write(original, to: setting, until: deadline)
    #expect(try host.read(setting, until: deadline) == original)
  }

  private static let framebuffer = Value.driver(DriverBinding(driver: nil, override: nil))

  @Test(
    arguments: [
      (.platformDriver("efi-framebuffer.0"), framebuffer),
      (.module("nvidia_drm"), ModuleState.absent),
      (.console("(M) frame buffer device"), .text("0")),
      (function("0000:45:00.0", .resetMethod), .text("bus")),
      (function("0000:45:00.0", .d3Cold), .text("0")),
      (function("0000:45:00.0", .powerControl), .text("on")),
      (function("0000:45:00.1", .resetMethod), .text("")),
    ] as [(Setting?, Value)])
  func aCardsSettingIsChangedAndGivenBack(setting: Setting?, value: Value) throws {
    let setting = try #require(setting)
    let recorded = try Workstation()
    try recorded.add(Card.lines() + Card.framebuffer + Card.modules)
    let host = KernelHost(kernel: recorded.kernel, systemd: recorded.systemd)
    let deadline = host.now.advanced(byMilliseconds: 5_000)
    let original = try #require(try host.read(setting, until: deadline))
    try host.write(value, to: setting, until: deadline)
    #expect(try host.read(setting, until: deadline) == value)
    try host.write(original, to: setting, until: deadline)
    #expect(try host.read(setting, until: deadline) == original)
  }

  private static func function(_ slot: String, _ attribute: FunctionAttribute) -> Setting? {
    PCIAddress(slot).map { .functionAttribute($0, attribute) }
  }

  /// A driver that went with a module of another name comes back by the alias of its device.
  @Test func aDriversModuleIsFoundByTheDevicesAlias() throws {
    let recorded = try Workstation()
    let alias = "pci:v00001022d000073A6bc0Csc03i30"
    try recorded.add(
      Card.lines() + "sys/devices/pci0000:40/0000:40:03.1/0000:45:00.2/modalias\t\(alias)\n"
        + "sys/module/\(alias)/initstate\tlive\nsys/module/\(alias)/refcnt\t0\n"
        + "sys/module/\(alias)/drivers/pci:xhci_hcd -> ../x\n")
    let host = KernelHost(kernel: recorded.kernel, systemd: recorded.systemd)
    let deadline = host.now.advanced(byMilliseconds: 5_000)
    let setting = try #require(PCIAddress("0000:45:00.2").map { Setting.driver($0) })
    let original = try #require(try host.read(setting, until: deadline))
    try host.write(Self.vfio, to: setting, until: deadline)
    try host.write(ModuleState.absent, to: .module(alias), until: deadline)
    #expect(!recorded.kernel.exists("/sys/bus/pci/drivers/xhci_hcd"))
    try host.write(original, to: setting, until: deadline)
    #expect(try host.read(setting, until: deadline) == original)
  }

  private static let vfio = Value.driver(DriverBinding(driver: "vfio-pci", override: "vfio-pci"))

  @Test func aPartitionEndsWithItsDomain() throws {
    let recorded = try Workstation()
    try recorded.prepareAndStartGaming()
    let host = KernelHost(kernel: recorded.kernel, systemd: recorded.systemd)
    let path = "\(Self.scope)/libvirt/vcpu0/cpuset.cpus.partition"
    #expect(try host.read(.attribute(path: path, .text), until: .distant) == .text("member"))
    try recorded.stopGaming()
    #expect(try host.read(.attribute(path: path, .text), until: .distant) == nil)
  }

  /// Up to 6.7 a node's pool that is written grows by the surplus of the other nodes, and never gets smaller
  /// than that.
  @Test(arguments: [
    ("6.1.0-40-amd64", 5), ("6.7.9", 5), ("6.8.0", 0), ("6.12.48+deb13-amd64", 0),
  ])
  func aPoolIsBroughtToItsCountBesideTheSurplusOfAnotherNode(release: String, least: Int) throws {
    let recorded = try Workstation()
    let other = "sys/devices/system/node/node1/hugepages/hugepages-2048kB"
    let whole = "sys/kernel/mm/hugepages/hugepages-2048kB"
    try recorded.add(
      """
      proc/sys/kernel/osrelease\t\(release)
      \(other)/nr_hugepages\t5
      \(other)/free_hugepages\t0
      \(other)/surplus_hugepages\t5
      \(whole)/surplus_hugepages\t5

      """)
    let host = KernelHost(kernel: recorded.kernel, systemd: recorded.systemd)
    let pool = Setting.hugepagePool(HugepagePool(node: 0, pageKiB: 2048))
    let deadline = host.now.advanced(byMilliseconds: 5_000)
    for count in [64, 3, 128, 0] {
      try host.write(.count(count), to: pool, until: deadline)
      #expect(try host.read(pool, until: deadline) == .count(max(count, least)))
    }
  }
}
