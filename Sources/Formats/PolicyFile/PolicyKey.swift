internal import Bytes
internal import HostModel

/// One key of the policy file.
///
/// The table below is all there is to a key: it reads values, suggests names, and is what the
/// documentation and the sample are checked against.
struct PolicyKey: Sendable {
  /// The key as it is written in a section.
  var path: String
  /// The default, as it would be written.
  var standard: String
  /// Whether one policy takes less of the host than another one, by this key; nil for a key that whoever
  /// may define a domain cannot set in the domain's `<metadata>`.
  ///
  /// Only what gives no power over the host beside the VM's own CPUs and pages is to be had there.
  var narrows: Narrowing?
  /// What the key decides, in one line.
  var purpose: String
  var read: @Sendable (PolicyValue, inout Policy) throws(PolicyValueError) -> Void

  typealias Narrowing = @Sendable (_ new: Policy, _ old: Policy) -> Bool

  init(
    _ path: String, _ standard: String, narrows: Narrowing? = nil, _ purpose: String,
    read: @escaping @Sendable (PolicyValue, inout Policy) throws(PolicyValueError) -> Void
  ) {
    self.path = path
    self.standard = standard
    self.narrows = narrows
    self.purpose = purpose
    self.read = read
  }

  /// The sections whose keys are for all VMs together.
  static let tables = ["limits", "proxmox"]

  /// Which elements of an array it is that the key does not take, as words behind what it takes; empty where the
  /// array as a whole is wrong, or each of them.
  func culprits(in value: PolicyValue) -> String {
    guard case .array(let elements) = value, elements.count > 1 else { return "" }
    let wrong = elements.indices.filter { index in
      var trial = Policy()
      do throws(PolicyValueError) {
        try read(.array([elements[index]]), &trial)
        return false
      } catch {
        return true
      }
    }
    guard !wrong.isEmpty, wrong.count < elements.count else { return "" }
    return "; see " + wrong.map { "\(elements[$0])" }.joined(separator: ", ")
  }

  /// The section of those that the key stands in; nil for one of `[defaults]`, profiles and VMs.
  var table: String? { Self.tables.first { path.begins(with: $0 + ".") } }

  /// The keys of a section for all VMs together; of all others for nil.
  static func paths(in table: String?) -> [String] {
    all.filter { $0.table == table }.map(\.path)
  }

  static func named(_ path: String) -> PolicyKey? { all.first { $0.path == path } }

  static let all: [PolicyKey] = [
    PolicyKey("enabled", "true", "whether Berth does anything for the VM") {
      (value, policy) throws(PolicyValueError) in policy.isEnabled = try value.bool()
    },
    PolicyKey(
      "isolation", "\"auto\"", narrows: { new, _ in new.isolation == .none },
      "how other tasks are kept off the vCPUs' CPUs"
    ) { (value, policy) throws(PolicyValueError) in
      policy.isolation = try value.word(of: Policy.Isolation.self)
    },
    PolicyKey(
      "hugepages.reserve", "true", narrows: { new, _ in !new.memory.reservesHugepages },
      "whether the VM's huge pages are reserved"
    ) { (value, policy) throws(PolicyValueError) in
      policy.memory.reservesHugepages = try value.bool()
    },
    PolicyKey("hugepages.required", "true", "whether a start without them is refused") {
      (value, policy) throws(PolicyValueError) in
      policy.memory.requiresHugepages = try value.bool()
    },
    PolicyKey("memory.compact", "\"auto\"", "when memory is compacted") {
      (value, policy) throws(PolicyValueError) in
      policy.memory.compaction = try value.word(of: Policy.Memory.Compaction.self)
    },
    PolicyKey("memory.drop-caches", "false", "whether clean page cache may be dropped") {
      (value, policy) throws(PolicyValueError) in policy.memory.dropsCaches = try value.bool()
    },
    PolicyKey("pci.bind", "[]", "functions to bind besides those of the VM's configuration") {
      (value, policy) throws(PolicyValueError) in
      (policy.pci.functions, policy.pci.slots) = try value.functions()
    },
    PolicyKey("pci.driver", "\"vfio-pci\"", "the driver that functions are bound to") {
      (value, policy) throws(PolicyValueError) in policy.pci.driver = try value.driver()
    },
    PolicyKey("pci.force", "[]", "functions to take although the host visibly uses them") {
      (value, policy) throws(PolicyValueError) in
      (policy.pci.forced, policy.pci.forcedSlots) = try value.functions()
    },
    PolicyKey("pci.required", "true", "whether a start without the functions is refused") {
      (value, policy) throws(PolicyValueError) in
      policy.pci.requiresFunctions = try value.bool()
    },
    PolicyKey(
      "pci.give-back", "true", "whether functions that Proxmox binds get their drivers back"
    ) {
      (value, policy) throws(PolicyValueError) in policy.pci.givesBack = try value.bool()
    },
    PolicyKey("pci.rescan", "[]", "slots to take off the bus and find again before the start") {
      (value, policy) throws(PolicyValueError) in policy.pci.rescanned = try value.slots()
    },
    PolicyKey("sriov.vfs", "{}", "how many virtual functions to create") {
      (value, policy) throws(PolicyValueError) in
      policy.sriov.numbers = try value.virtualFunctionNumbers()
    },
    PolicyKey("sriov.functions", "{}", "VLAN, MAC, trust and spoof check of virtual functions") {
      (value, policy) throws(PolicyValueError) in
      policy.sriov.functions = try value.virtualFunctions()
    },
    PolicyKey("pci.wait", "\"0s\"", "how long a start waits for those who use a function") {
      (value, policy) throws(PolicyValueError) in
      policy.pci.waitMilliseconds = try value.pause()
    },
    PolicyKey("pci.unload", "[]", "modules to unload before functions change their drivers") {
      (value, policy) throws(PolicyValueError) in
      policy.pci.unloadedModules = try value.modules()
    },
    PolicyKey("pci.reset-method", "\"\"", "the ways to reset the functions, in their order") {
      (value, policy) throws(PolicyValueError) in
      policy.pci.resetMethods = try value.resetMethods()
    },
    PolicyKey("pci.d3cold", "\"\"", "whether the functions may lose their power altogether") {
      (value, policy) throws(PolicyValueError) in
      policy.pci.allowsD3Cold = try value.boolOrNothing()
    },
    PolicyKey("pci.power-control", "\"\"", "whether the functions sleep by themselves") {
      (value, policy) throws(PolicyValueError) in
      policy.pci.powerControl =
        value == .string("") ? nil : try value.word(of: Policy.PowerControl.self)
    },
    PolicyKey("pci.bar-size", "{}", "the sizes of resizable BARs of the functions") {
      (value, policy) throws(PolicyValueError) in policy.pci.barSizes = try value.barSizes()
    },
    PolicyKey(
      "display.release-consoles", "false", "whether text consoles leave a display that the VM takes"
    ) {
      (value, policy) throws(PolicyValueError) in policy.releasesConsoles = try value.bool()
    },
    PolicyKey(
      "pins.vcpus", "\"auto\"",
      narrows: { new, old in new.pins.vcpus.isNarrower(than: old.pins.vcpus) },
      "the CPUs of each vCPU, from vCPU 0 on"
    ) {
      (value, policy) throws(PolicyValueError) in
      policy.pinsAutomatically = value == .string("auto")
      policy.pins.vcpus = policy.pinsAutomatically ? [:] : try value.pins(from: 0)
    },
    PolicyKey(
      "pins.iothreads", "[]",
      narrows: { new, old in new.pins.iothreads.isNarrower(than: old.pins.iothreads) },
      "the CPUs of each iothread, from iothread 1 on"
    ) { (value, policy) throws(PolicyValueError) in
      policy.pins.iothreads = try value.pins(from: 1)
    },
    PolicyKey(
      "pins.emulator", "\"\"",
      narrows: { new, old in
        guard let cpus = new.pins.emulator, let allowed = old.pins.emulator else { return false }
        return cpus.isSubset(of: allowed)
      }, "the CPUs of QEMU's other threads"
    ) {
      (value, policy) throws(PolicyValueError) in
      let cpus = try value.cpus()
      policy.pins.emulator = cpus.isEmpty ? nil : cpus
    },
    PolicyKey(
      "pins.guest-threads", "0", "threads of a guest's core; 0 for what its configuration says"
    ) {
      (value, policy) throws(PolicyValueError) in
      let threads = try value.integer(in: 0...8)
      policy.guestThreads = threads == 0 ? nil : threads
    },
    PolicyKey("scheduler.fifo-priority", "0", "the SCHED_FIFO priority of the vCPUs; 0 for none") {
      (value, policy) throws(PolicyValueError) in
      let priority = try value.integer(in: 0...99)
      policy.fifoPriority = priority == 0 ? nil : priority
    },
    PolicyKey(
      "scheduler.core-cookie", "false", "whether the VM shares no core with foreign threads"
    ) {
      (value, policy) throws(PolicyValueError) in policy.hasCoreCookie = try value.bool()
    },
    PolicyKey("cpu.governor", "\"\"", "the cpufreq governor of the vCPUs' CPUs") {
      (value, policy) throws(PolicyValueError) in policy.cpu.governor = try value.wordOfKernel()
    },
    PolicyKey("cpu.energy-preference", "\"\"", "the energy preference of the vCPUs' CPUs") {
      (value, policy) throws(PolicyValueError) in
      policy.cpu.energyPreference = try value.energyPreference()
    },
    PolicyKey("cpu.min-frequency", "\"\"", "the lowest frequency of the vCPUs' CPUs") {
      (value, policy) throws(PolicyValueError) in
      policy.cpu.minimumFrequency = try value.frequency()
    },
    PolicyKey("cpu.boost", "\"\"", "whether all CPUs may run above their base frequency") {
      (value, policy) throws(PolicyValueError) in policy.cpu.boost = try value.boolOrNothing()
    },
    PolicyKey("cpu.max-wakeup-latency", "\"\"", "how long a vCPU's CPU may take to wake, in µs") {
      (value, policy) throws(PolicyValueError) in
      policy.cpu.maximumWakeupLatency = try value.microseconds()
    },
    PolicyKey(
      "cpu.contested", "\"refuse\"", "who has the VM's own CPUs when another VM's start needs them"
    ) {
      (value, policy) throws(PolicyValueError) in
      policy.cpu.contested = try value.word(of: Policy.CPU.Contest.self)
    },
    PolicyKey("cpu.watchdog", "true", "whether lockup detectors look after the vCPUs' CPUs") {
      (value, policy) throws(PolicyValueError) in policy.cpu.hasWatchdog = try value.bool()
    },
    PolicyKey(
      "cpu.whole-cores", "false", "whether the other threads of isolated vCPUs' cores stay idle"
    ) {
      (value, policy) throws(PolicyValueError) in policy.cpu.keepsWholeCores = try value.bool()
    },
    PolicyKey("interrupts.move", "\"auto\"", "when interrupts are moved off the vCPUs' CPUs") {
      (value, policy) throws(PolicyValueError) in
      policy.interrupts.move = try value.word(of: Policy.Interrupts.Move.self)
    },
    PolicyKey("interrupts.device-cpus", "\"\"", "the CPUs of the VM's own functions' interrupts") {
      (value, policy) throws(PolicyValueError) in
      let cpus = try value.cpus()
      policy.interrupts.deviceCPUs = cpus.isEmpty ? nil : cpus
    },
    PolicyKey(
      "kernel-threads.move", "\"auto\"", "when kernel threads are moved off the vCPUs' CPUs"
    ) {
      (value, policy) throws(PolicyValueError) in
      policy.kernelThreads = try value.word(of: Policy.KernelThreads.self)
    },
    PolicyKey("settings", "{}", "sysctls and attributes of the kernel with their values") {
      (value, policy) throws(PolicyValueError) in policy.settings = try value.attributes()
    },
    PolicyKey("services.stop", "[]", "units to stop while the VM is active") {
      (value, policy) throws(PolicyValueError) in
      policy.beside.stoppedServices = try value.services()
    },
    PolicyKey("companions.stop", "[]", "VMs to stop while this one is active") {
      (value, policy) throws(PolicyValueError) in
      policy.beside.stoppedDomains = try value.domains()
    },
    PolicyKey("companions.patience", "\"60s\"", "how long one of them may take to end") {
      (value, policy) throws(PolicyValueError) in
      policy.beside.patience = try value.milliseconds()
    },
    PolicyKey(
      "companions.required", "false", "whether a start is refused while one of them runs"
    ) {
      (value, policy) throws(PolicyValueError) in
      policy.beside.requiresStoppedDomains = try value.bool()
    },
    PolicyKey("commands", "[]", "commands of the administrator's, with what undoes them") {
      (value, policy) throws(PolicyValueError) in policy.beside.commands = try value.commands()
    },
    PolicyKey("host.stay-awake", "false", "whether the host is kept from sleeping") {
      (value, policy) throws(PolicyValueError) in policy.beside.staysAwake = try value.bool()
    },
    PolicyKey("budget.before-start", "\"120s\"", "how long a start may be held up") {
      (value, policy) throws(PolicyValueError) in
      policy.budgets.beforeStart = try value.milliseconds()
    },
    PolicyKey("budget.running", "\"5s\"", "how long a phase of a running VM may take") {
      (value, policy) throws(PolicyValueError) in
      policy.budgets.running = try value.milliseconds()
    },
    PolicyKey("budget.giving-back", "\"30s\"", "how long giving back may take") {
      (value, policy) throws(PolicyValueError) in
      policy.budgets.givingBack = try value.milliseconds()
    },
    PolicyKey("limits.host-memory", "\"auto\"", "the memory of each node that stays with the host")
    {
      (value, policy) throws(PolicyValueError) in
      policy.limits.hostMemoryKiB = try value.memoryOrAuto()
    },
    PolicyKey("limits.host-cpus", "1", "how many CPUs, or which, are kept for the host") {
      (value, policy) throws(PolicyValueError) in
      (policy.limits.hostCPUCount, policy.limits.hostCPUs) = try value.countOrCPUs()
    },
    PolicyKey("limits.cpus", "\"\"", "the CPUs that VMs may claim; \"\" for all") {
      (value, policy) throws(PolicyValueError) in
      let cpus = try value.cpus()
      policy.limits.cpus = cpus.isEmpty ? nil : cpus
    },
    PolicyKey("limits.nodes", "\"\"", "the nodes whose huge pages VMs may claim; \"\" for all") {
      (value, policy) throws(PolicyValueError) in
      let nodes = try value.cpus(orElse: "a list of nodes such as “0-1”")
      policy.limits.nodes = nodes.isEmpty ? nil : nodes
    },
    PolicyKey("limits.metadata", "\"narrow\"", "what a VM's own metadata may decide") {
      (value, policy) throws(PolicyValueError) in
      policy.limits.metadata = try value.word(of: Policy.Limits.Metadata.self)
    },
    PolicyKey("proxmox.names", "false", "whether the name of a VM of Proxmox's finds its section") {
      (value, policy) throws(PolicyValueError) in policy.countsProxmoxNames = try value.bool()
    },
  ]
}

extension [Int: CPUList] {
  /// Whether each list of pins is a part of the one for the same thread.
  fileprivate func isNarrower(than others: [Int: CPUList]) -> Bool {
    keys.count == others.count
      && allSatisfy { id, cpus in others[id].map(cpus.isSubset) ?? false }
  }
}
