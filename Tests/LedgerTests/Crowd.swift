import HostModel

/// Three domains that want something of the same settings, in every kind of them and with every
/// kind of claim, and that have something of their own besides.
enum Crowd {
  static let exclusive = Setting.attribute(
    path: "/sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive", .cpuList)
  static let ceiling = Setting.attribute(path: "/sys/power/ceiling", .text)
  static let poller = Setting.scheduler(
    HostThread(pid: 60, tid: 60, startTime: 3, role: .foreign))

  static let functions =
    PCIAddress("0000:43:00.0").map(Setting.virtualFunctions) ?? Sample.card
  /// What the card's drivers change, and the module of one of them.
  static let sleep =
    PCIAddress("0000:41:00.0").map { Setting.functionAttribute($0, .powerControl) } ?? ceiling
  static let module = Setting.module("igb")

  static let nic = PCIAddress("0000:42:00.0").map(Setting.driver) ?? Sample.card
  private static let lent = Value.driver(DriverBinding(driver: "vfio-pci", override: nil))

  static let screen = Setting.service(unit: "gdm.service")
  static let idler = Setting.service(unit: "idler.timer")
  static let command = ownService("berth-command-a.service", .awaited)
  static let request = ownService("berth-companion-b.service", .asked)

  private static func ownService(_ unit: String, _ manner: OwnService.Manner) -> Setting {
    .ownService(OwnService(unit: unit, title: unit, manner: manner, command: ["/bin/true"]))
  }
  static let balancer = Setting.balancedOff(ProcessIdentity(pid: 50, startTime: 2))
  static let card = PCIAddress("0000:41:00.0")

  static var host: [Setting: Value] {
    var host = Sample.host
    host[screen] = .activity(.active)
    host[idler] = .activity(.inactive)
    host[command] = .activity(.inactive)
    host[request] = .activity(.inactive)
    host[balancer] = .cpus([0])
    host[exclusive] = .cpus([])
    host[ceiling] = .text("90")
    host[functions] = .count(1)
    host[nic] = .driver(DriverBinding(driver: "mlx5_core", override: nil))
    host[sleep] = .text("auto")
    host[module] = ModuleState.loaded
    host[poller] = .scheduler(ThreadScheduler(policy: 0, priority: 0, resetsOnFork: false))
    return host
  }

  /// The settings of the host itself, in an order that is the same in every run.
  static let shared = [
    Sample.governor, Sample.irq, Sample.slice, Sample.pool, Sample.latency, Sample.task,
    Sample.card, exclusive, ceiling, poller, nic, screen, idler, command, request,
    functions, balancer, sleep, module,
  ]

  /// The first cannot do without the card; the second wants another ceiling than the third, and
  /// the third would take the card, and another governor, if it could have them.
  static let all: [Visitor] = [
    visitor(
      0, "alpha", cpus: [1], pages: 5,
      [
        Change(module, .lent(ModuleState.absent), because: "card"),
        Change(Sample.card, .alone(Sample.vfio), because: "card", isRequired: true),
        Change(sleep, .keep, because: "card"),
        Change(Sample.governor, .exactly(.text("performance")), because: "speed"),
        Change(Sample.latency, .atLeast(10), because: "quiet"),
        Change(functions, .atLeast(4), because: "functions"),
        Change(poller, .exactly(.scheduler(.fifo(priority: 1))), because: "polling"),
        Change(screen, .exactly(.activity(.inactive)), because: "card", isRequired: true),
        Change(command, .exactly(.activity(.active)), because: "monitor", isRequired: true),
      ]),
    visitor(
      1, "beta", cpus: [2], pages: 3,
      [
        Change(Sample.governor, .exactly(.text("performance")), because: "speed"),
        Change(Sample.latency, .atLeast(120), because: "quiet"),
        Change(ceiling, .atMost(50), because: "heat"),
        Change(functions, .atLeast(2), because: "functions"),
        Change(nic, .lent(lent), because: "card"),
        Change(poller, .exactly(.scheduler(.fifo(priority: 1))), because: "polling"),
        Change(screen, .exactly(.activity(.inactive)), because: "card"),
        Change(request, .exactly(.activity(.active)), because: "memory"),
      ]),
    visitor(
      2, "gamma", cpus: [2, 3], pages: 2,
      [
        Change(module, .lent(ModuleState.absent), because: "card"),
        Change(Sample.card, .alone(Sample.vfio), because: "card"),
        Change(sleep, .keep, because: "card"),
        Change(Sample.governor, .exactly(.text("schedutil")), because: "saving"),
        Change(ceiling, .atLeast(95), because: "speed"),
        Change(nic, .lent(lent), because: "card"),
        Change(idler, .exactly(.activity(.inactive)), because: "quiet"),
      ]),
  ]

  /// The domains and the host with some of the settings only: what is tried completely has to be
  /// small.
  static func part(
    _ isIn: (Setting) -> Bool
  ) -> (visitors: [Visitor], host: [Setting: Value]) {
    let visitors = all.map { whole in
      var visitor = whole
      visitor.changes.removeAll { !isIn($0.setting) }
      visitor.changesOnceRunning.removeAll { !isIn($0.setting) }
      visitor.belongings.removeAll { !isIn($0.setting) }
      visitor.borrowings.removeAll { !isIn($0.setting) }
      return visitor
    }
    return (visitors, host.filter { isIn($0.key) })
  }

  private static func visitor(
    _ number: Int, _ name: String, cpus: CPUList, pages: Int, _ own: [Change]
  ) -> Visitor {
    let changes = [
      Change(Sample.pool, .more(pages, need: pages), because: "memory", isRequired: number != 2),
      Change(Sample.task, .keep, because: "isolation"),
      Change(Sample.slice, .withoutCPUs(cpus, all: Sample.everyCPU), because: "isolation"),
      Change(Sample.irq, .withoutCPUs(cpus, all: Sample.everyCPU), because: "interrupts"),
      Change(exclusive, .withCPUs(cpus), because: "isolation"),
      Change(.every(.balancers), .withCPUs(cpus), because: "interrupts"),
    ]
    var visitor = Visitor(name, changes + own)
    if own.contains(where: { $0.setting == nic }) { visitor.borrowings = [(nic, lent)] }
    if own.contains(where: { $0.setting == module }) {
      visitor.steps = [PlannedStep(.once(module, ModuleState.absent), because: "card")]
    }
    let thread = HostThread(
      pid: 100 + number, tid: 200 + number, startTime: 40, role: .vcpu(0))
    let partition = Setting.attribute(
      path: "/sys/fs/cgroup/machine.slice/\(name).scope/cpuset.cpus.partition", .text)
    visitor.belongings = [
      (.affinity(thread), .cpus(Sample.everyCPU)), (partition, .text("member")),
    ]
    visitor.changesOnceRunning = [
      Change(partition, .exactly(.text("isolated")), because: "isolation"),
      Change(.affinity(thread), .exactly(.cpus(cpus)), because: "pinning"),
    ]
    if number == 0, let card {
      let interrupt = Setting.interrupt(PassedInterrupt(number: 60, function: card))
      let process = Setting.coreCookie(ProcessIdentity(pid: 100, startTime: 40))
      visitor.belongings += [(interrupt, .cpus(Sample.everyCPU)), (process, .text("none"))]
      visitor.changesOnceRunning += [
        Change(.every(.interrupts(of: card)), .exactly(.cpus([0])), because: "latency"),
        Change(process, .exactly(.text("own")), because: "secrets"),
      ]
    }
    return visitor
  }
}
