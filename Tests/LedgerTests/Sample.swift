import HostModel

/// A domain of a test, with all that it claims.
struct Visitor {
  var holder: Holder
  var changes: [Change]
  /// What is done once when it enters.
  var steps: [PlannedStep] = []
  /// What it claims besides once its QEMU runs.
  var changesOnceRunning: [Change] = []
  /// What exists only while its QEMU runs.
  var belongings: [(setting: Setting, value: Value)] = []
  /// What its hypervisor puts there by itself when it starts its QEMU, and leaves there.
  var borrowings: [(setting: Setting, value: Value)] = []

  init(_ name: String, _ changes: [Change]) {
    holder = Holder(id: HolderID(hypervisor: .libvirt, id: name), name: name)
    self.changes = changes
  }
}

/// The settings of the tests: one of each kind at least.
enum Sample {
  static let everyCPU = CPUList(0...3)

  static let governor = Setting.attribute(path: "/sys/governor", .text)
  static let irq = Setting.attribute(path: "/proc/irq/9/smp_affinity_list", .cpuList)
  static let slice = Setting.allowedCPUs(unit: "system.slice")
  static let pool = Setting.hugepagePool(HugepagePool(node: 1, pageKiB: 2048))
  static let latency = Setting.attribute(path: "/proc/sys/vm/stat_interval", .text)
  static let task = Setting.affinity(
    HostThread(pid: 77, tid: 77, startTime: 5, role: .foreign))
  static let card = PCIAddress("0000:41:00.0").map(Setting.driver) ?? governor

  static var host: [Setting: Value] {
    [
      governor: .text("powersave"), irq: .cpus(everyCPU),
      slice: .allowedCPUs(AllowedCPUs(cpus: [], hasRuntimeDropIn: false)), pool: .count(7),
      latency: .text("1"), task: .cpus([2, 3]),
      card: .driver(DriverBinding(driver: "igb", override: nil)),
    ]
  }

  static let vfio = Value.driver(DriverBinding(driver: "vfio-pci", override: "vfio-pci"))

  static func visitor(
    _ name: String, cpus: CPUList, pages: Int, withCard: Bool = false, interval: Int
  ) -> Visitor {
    var changes = [
      Change(pool, .more(pages, need: pages), because: "memory", isRequired: true),
      Change(governor, .exactly(.text("performance")), because: "speed"),
      Change(task, .keep, because: "isolation"),
      Change(slice, .withoutCPUs(cpus, all: everyCPU), because: "isolation"),
      Change(irq, .withoutCPUs(cpus, all: everyCPU), because: "interrupts"),
      Change(latency, .atLeast(interval), because: "quiet"),
    ]
    if withCard {
      changes.insert(Change(card, .alone(vfio), because: "card", isRequired: true), at: 1)
    }
    return Visitor(name, changes)
  }

  static let alpha = visitor("alpha", cpus: [1], pages: 5, withCard: true, interval: 10)
  static let beta = visitor("beta", cpus: [2], pages: 3, interval: 120)
}
