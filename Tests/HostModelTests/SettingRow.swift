import HostModel
import Testing

/// What there is to know of one setting, as it is written and shown.
struct SettingRow: Sendable, CustomTestStringConvertible {
  var setting: Setting
  /// Its part of a line of the ledger.
  var words: String
  var name: String
  /// Where it is not the name.
  var title: String?
  var traits: [String]
  var lock: String

  var testDescription: String { words }

  init(
    _ setting: Setting, _ words: String, _ name: String, title: String? = nil,
    _ traits: String..., lock: String = "slow"
  ) {
    self.setting = setting
    self.words = words
    self.name = name
    self.title = title
    self.traits = traits
    self.lock = lock
  }

  static let all = attributes + kernel + functions + firmware + tasks + services + interrupts
}

extension SettingRow {
  private static let attributes = [
    SettingRow(.attribute(path: "/sys/a b", .text), "attribute text /sys/a%20b", "/sys/a b"),
    SettingRow(
      .attribute(path: "/proc/sys/kernel/watchdog_cpumask", .cpuList),
      "attribute cpulist /proc/sys/kernel/watchdog_cpumask", "/proc/sys/kernel/watchdog_cpumask"),
    SettingRow(
      .attribute(path: "/proc/irq/9/smp_affinity_list", .cpuList),
      "attribute cpulist /proc/irq/9/smp_affinity_list", "/proc/irq/9/smp_affinity_list",
      "broken mask", moved),
    SettingRow(
      .attribute(path: "/proc/irq/default_smp_affinity", .cpuMask),
      "attribute cpumask /proc/irq/default_smp_affinity", "/proc/irq/default_smp_affinity"),
    SettingRow(
      .attribute(path: "/sys/fs/cgroup/user.slice/cpuset.cpus.partition", .text),
      "attribute text /sys/fs/cgroup/user.slice/cpuset.cpus.partition",
      "/sys/fs/cgroup/user.slice/cpuset.cpus.partition",
      title: "cpuset.cpus.partition of user.slice", "invalidation"),
    SettingRow(
      .attribute(path: "/sys/thp", .selection), "attribute selection /sys/thp", "/sys/thp"),
    SettingRow(
      .hugepagePool(HugepagePool(node: 1, pageKiB: 2048)), "hugepages 1 2048",
      "2 MiB pages on node 1", "slow", "shared", lock: "node1-2048kB"),
    SettingRow(
      .allowedCPUs(unit: "qemu.slice/100.scope"), "allowed-cpus qemu.slice/100.scope",
      "AllowedCPUs= of qemu.slice/100.scope", "moves tasks"),
    SettingRow(
      .cpuset(group: "lxc/100"), "cpuset lxc/100", "cpuset.cpus of lxc/100",
      title: "cpuset.cpus of 100", "moves tasks"),
  ]

  private static let functions = [
    SettingRow(
      .driver(function), "driver 0000:0b:00.1", "driver of 0000:0b:00.1", "slow",
      lock: "0000:0b:00.1"),
    SettingRow(
      .virtualFunctions(of: function), "vfs 0000:0b:00.1", "number of VFs of 0000:0b:00.1",
      "slow", "fixed while held", "original", lock: "vfs-0000:0b:00.1"),
    SettingRow(
      .virtualFunction(VirtualFunction(of: function, index: 3), .spoofCheck),
      "vf 0000:0b:00.1 3 spoof-check", "spoof-check of VF 3 of 0000:0b:00.1", "slow",
      "original",
      lock: "vf-0000:0b:00.1"),
    SettingRow(
      .functionAttribute(function, .resetMethod), "function-attribute 0000:0b:00.1 reset_method",
      "reset_method of 0000:0b:00.1", "slow", "original", lock: "0000:0b:00.1"),
    SettingRow(
      .functionAttribute(function, .d3Cold), "function-attribute 0000:0b:00.1 d3cold_allowed",
      "d3cold_allowed of 0000:0b:00.1", "slow", "original", lock: "0000:0b:00.1"),
    SettingRow(
      .functionAttribute(function, .powerControl),
      "function-attribute 0000:0b:00.1 power/control", "power/control of 0000:0b:00.1", "slow",
      "any after driver of 0000:0b:00.1", lock: "0000:0b:00.1"),
    SettingRow(
      .barSize(BAR(of: function, 1)), "bar 0000:0b:00.1 1", "MiB of BAR 1 of 0000:0b:00.1", "slow",
      "original",
      lock: "0000:0b:00.1"),
    SettingRow(
      .slot(PCISlot(of: function)), "slot 0000:0b:00", "functions in slot 0000:0b:00", "slow",
      "original",
      lock: "slots"),
  ]

  private static let kernel = Coupling.allCases.map { coupling in
    SettingRow(
      .coupled(coupling), "coupled \(coupling.rawValue)",
      coupling.names.joined(separator: ", "))
  }

  private static let firmware = [
    SettingRow(
      .platformDriver("efi-framebuffer.0"), "platform-driver efi-framebuffer.0",
      "driver of efi-framebuffer.0", "slow", "original"),
    SettingRow(.module("nvidia_drm"), "module nvidia_drm", "module nvidia_drm", "slow", "original"),
    SettingRow(
      .console("(M) frame buffer device"), "console (M)%20frame%20buffer%20device",
      "consoles of (M) frame buffer device", "slow", "original"),
  ]

  private static let tasks = [
    SettingRow(
      .affinity(vcpu), "affinity 812 820 77 vcpu:3", "CPUs of vCPU 3 (thread 820)", "more CPUs"),
    SettingRow(
      .affinity(HostThread(pid: 5, tid: 6, startTime: 7, role: .foreign)), "affinity 5 6 7 task",
      "CPUs of task (thread 6)", "more CPUs"),
    SettingRow(
      .affinity(HostThread(pid: 0, tid: 0, startTime: 0, role: .iothread(2))),
      "affinity 0 0 0 iothread:2", "CPUs of iothread 2 (thread 0)", title: "CPUs of iothread 2",
      "more CPUs"),
    SettingRow(
      .scheduler(vcpu), "scheduler 812 820 77 vcpu:3", "scheduler of vCPU 3 (thread 820)"),
    SettingRow(
      .scheduler(HostThread(pid: 0, tid: 0, startTime: 0, role: .emulator)),
      "scheduler 0 0 0 emulator", "scheduler of emulator (thread 0)",
      title: "scheduler of emulator"),
    SettingRow(
      .scheduler(HostThread(pid: 8, tid: 9, startTime: 7, role: .vhost)),
      "scheduler 8 9 7 vhost", "scheduler of vhost worker (thread 9)"),
    SettingRow(
      .scheduler(HostThread(pid: 8, tid: 10, startTime: 7, role: .worker)),
      "scheduler 8 10 7 worker", "scheduler of worker (thread 10)"),
    SettingRow(.coreCookie(process), "core-cookie 7 9", "core-scheduling cookie of process 7"),
    SettingRow(
      .coreCookie(ProcessIdentity(pid: 0, startTime: 0)), "core-cookie 0 0",
      "core-scheduling cookie of process 0", title: "core-scheduling cookie of QEMU"),
  ]

  private static let services = [
    SettingRow(
      .service(unit: "user@1000.service/x"), "service user@1000.service/x", "user@1000.service/x",
      "slow", "switch", lock: "user@1000.service-x"),
    SettingRow(
      .ownService(service(.awaited)),
      "own-service berth-a.service run%20a awaited 10 - 2 /bin/a % 2 1 /bin/b 0 1 A=b%20c",
      "run a", "slow", "switch", lock: "berth-a.service"),
    SettingRow(
      .ownService(service(.begun)),
      "own-service berth-a.service run%20a begun 10 - 2 /bin/a % 2 1 /bin/b 0 1 A=b%20c",
      "run a", "switch", lock: "berth-a.service"),
    SettingRow(
      .ownService(service(.asked)),
      "own-service berth-a.service run%20a asked 10 - 2 /bin/a % 2 1 /bin/b 0 1 A=b%20c",
      "run a", "switch", lock: "berth-a.service"),
    SettingRow(
      .ownService(service(.alongside)),
      "own-service berth-a.service run%20a alongside 10 x.scope 2 /bin/a % 2 1 /bin/b 0 1 A=b%20c",
      "run a", "switch", lock: "berth-a.service"),
  ]

  private static let interrupts = [
    SettingRow(
      .interrupt(interrupt), "interrupt 60 0000:0b:00.1", "CPUs of interrupt 60 of 0000:0b:00.1",
      "initial", "one of interrupts of 0000:0b:00.1", moved),
    SettingRow(
      .balancedOff(process), "balanced-off 7 9", "CPUs that irqbalance 7 leaves alone",
      "stale reads", "one of CPUs that irqbalance leaves alone"),
    SettingRow(
      .balancing(interrupt, by: process), "balancing 60 0000:0b:00.1 7 9",
      "irqbalance 7 for 60 of 0000:0b:00.1",
      "one of irqbalance for the interrupts of 0000:0b:00.1"),
    SettingRow(
      .every(.interrupts(of: function)), "every-interrupt 0000:0b:00.1",
      "interrupts of 0000:0b:00.1"),
    SettingRow(.every(.balancers), "every-balancer", "CPUs that irqbalance leaves alone"),
    SettingRow(
      .every(.balancing(of: function)), "every-balancing 0000:0b:00.1",
      "irqbalance for the interrupts of 0000:0b:00.1"),
  ]

  private static var function: PCIAddress {
    guard let function = PCIAddress("0000:0b:00.1") else { preconditionFailure("no address") }
    return function
  }

  private static let moved = "interrupts moved outside Berth since"
  private static let process = ProcessIdentity(pid: 7, startTime: 9)
  private static let interrupt = PassedInterrupt(number: 60, function: function)
  private static let vcpu = HostThread(pid: 812, tid: 820, startTime: 77, role: .vcpu(3))

  private static func service(_ manner: OwnService.Manner) -> OwnService {
    var service = OwnService(
      unit: "berth-a.service", title: "run a", manner: manner, command: ["/bin/a", ""])
    service.undo = [["/bin/b"], []]
    service.environment = ["A=b c"]
    if manner == .alongside { service.boundTo = "x.scope" }
    return service
  }
}
