internal import Bytes

/// One place on the host whose value can be read, written and put back.
package enum Setting: Hashable, Sendable {
  /// A file of sysfs, procfs or cgroupfs that holds one value.
  case attribute(path: String, AttributeFormat)
  /// The pool of huge pages of one size on one node, counted in persistent pages.
  case hugepagePool(HugepagePool)
  /// The driver that a PCI function is bound to, with its `driver_override`.
  case driver(PCIAddress)
  /// How many virtual functions a physical one has (`sriov_numvfs`).
  case virtualFunctions(of: PCIAddress)
  /// What the driver of a physical function was told of a virtual one.
  case virtualFunction(VirtualFunction, VirtualFunctionAttribute)
  /// The functions in a slot of PCI; none while they are taken off the bus.
  case slot(PCISlot)
  /// The driver of a device that the firmware left behind, by its name on the platform bus:
  /// `efi-framebuffer.0`.
  case platformDriver(String)
  /// Whether a module of the kernel is loaded; see `ModuleState`.
  case module(String)
  /// Whether a driver of text consoles has them (`/sys/class/vtconsole`), by what the kernel calls
  /// it: `(M) frame buffer device`. The numbers of the consoles are given anew with their drivers.
  case console(String)
  /// One of the attributes of a PCI function that decide how it is reset and how it sleeps.
  case functionAttribute(PCIAddress, FunctionAttribute)
  /// The size of a resizable BAR in MiB.
  case barSize(BAR)
  /// `AllowedCPUs=` of a systemd unit, as it is in effect; the unit as a path below the cgroup mount:
  /// `system.slice`, `qemu.slice/100.scope`.
  case allowedCPUs(unit: String)
  /// The CPUs that a thread may run on.
  case affinity(HostThread)
  /// The scheduling policy of a thread.
  case scheduler(HostThread)
  /// Whether a unit of the host is active; by the name that systemd itself gives it.
  case service(unit: String)
  /// Whether a service of Berth's own is active: its start and its stop are what is done and undone.
  case ownService(OwnService)
  /// The core-scheduling cookie of a process: which threads may run beside its own on a core.
  case coreCookie(ProcessIdentity)
  /// The CPUs of an interrupt of a function that is passed to a domain.
  case interrupt(PassedInterrupt)
  /// The CPUs that an irqbalance keeps interrupts off.
  case balancedOff(ProcessIdentity)
  /// Whether an irqbalance leaves such an interrupt alone.
  case balancing(PassedInterrupt, by: ProcessIdentity)
  /// All settings of a kind, however many there are at any time.
  case every(Collective)
}

/// Settings that come and go while a domain is in: what it claims of all of them it claims of each.
package enum Collective: Hashable, Sendable {
  /// The interrupts of a function.
  case interrupts(of: PCIAddress)
  /// Every irqbalance that runs, with the CPUs that it keeps interrupts off.
  case balancers
  /// Every irqbalance that runs, with each interrupt of a function.
  case balancing(of: PCIAddress)
}

/// An interrupt of a function that a VFIO driver handles, for as long as it is that function's.
package struct PassedInterrupt: Hashable, Sendable {
  package var number: Int
  package var function: PCIAddress

  package init(number: Int, function: PCIAddress) {
    self.number = number
    self.function = function
  }
}

/// How the text of an attribute is to be understood.
package enum AttributeFormat: String, Hashable, Sendable {
  /// Compared as text without white space at its ends.
  case text
  /// A cpulist: `0-3,8`.
  case cpuList = "cpulist"
  /// A hexadecimal mask: `ff`.
  case cpuMask = "cpumask"
  /// One of several words, the chosen one in brackets: `always [madvise] never`.
  case selection
}

/// An attribute of a PCI function, by its path below the function.
package enum FunctionAttribute: String, Hashable, Sendable, CaseIterable {
  /// The ways to reset the function, in the order in which they are tried.
  case resetMethod = "reset_method"
  /// Whether the function may lose its power altogether.
  case d3Cold = "d3cold_allowed"
  /// Whether the function sleeps by itself: `auto` or `on`.
  case powerControl = "power/control"
}

/// What the value of a module's setting is, as a text.
package enum ModuleState {
  package static let loaded = Value.text("loaded")
  package static let absent = Value.text("not loaded")
}

/// The huge pages of one size on one node.
package struct HugepagePool: Hashable, Sendable {
  package var node: Int
  package var pageKiB: Int

  package init(node: Int, pageKiB: Int) {
    self.node = node
    self.pageKiB = pageKiB
  }
}

/// A thread of the host that cannot be mistaken for a later one with the same number.
package struct HostThread: Hashable, Sendable {
  package var pid: Int
  package var tid: Int
  /// Field 22 of `/proc/PID/task/TID/stat`.
  package var startTime: UInt64
  package var role: ThreadRole

  package init(pid: Int, tid: Int, startTime: UInt64, role: ThreadRole) {
    self.pid = pid
    self.tid = tid
    self.startTime = startTime
    self.role = role
  }
}

/// What a thread does for its domain.
package enum ThreadRole: Hashable, Sendable {
  /// The main loop: its TID is the PID.
  case emulator
  case vcpu(Int)
  case iothread(Int)
  /// A vhost worker: a thread of QEMU, or a kernel thread on kernels before 6.4.
  case vhost
  /// Any other thread of QEMU: workers, `call_rcu`, VNC, SPICE.
  case worker
  /// A task that is no thread of a QEMU.
  case foreign
}

extension ThreadRole {
  /// Whether QMP tells which threads have the role.
  package var isNamedByQEMU: Bool {
    switch self {
    case .vcpu, .iothread: true
    case .emulator, .vhost, .worker, .foreign: false
    }
  }
}

extension ThreadRole: CustomStringConvertible {
  package var description: String {
    switch self {
    case .emulator: "emulator"
    case .vcpu(let number): "vCPU \(number)"
    case .iothread(let number): "iothread \(number)"
    case .vhost: "vhost worker"
    case .worker: "worker"
    case .foreign: "task"
    }
  }
}

extension Setting: CustomStringConvertible {
  /// The setting's name for people.
  package var description: String {
    switch self {
    case .attribute(let path, _): path
    case .hugepagePool(let pool): "\(PageSize(kiB: pool.pageKiB)) pages on node \(pool.node)"
    case .driver(let address): "driver of \(address)"
    case .virtualFunctions(let parent): "number of VFs of \(parent)"
    case .virtualFunction(let function, let attribute): "\(attribute.rawValue) of \(function)"
    case .slot(let slot): "functions in slot \(slot)"
    case .platformDriver(let device): "driver of \(device)"
    case .module(let name): "module \(name)"
    case .console(let name): "consoles of \(name)"
    case .functionAttribute(let address, let attribute): "\(attribute.rawValue) of \(address)"
    case .barSize(let bar): "MiB of \(bar)"
    case .allowedCPUs(let unit): "AllowedCPUs= of \(unit)"
    case .affinity(let thread): "CPUs of \(thread.role) (thread \(thread.tid))"
    case .scheduler(let thread): "scheduler of \(thread.role) (thread \(thread.tid))"
    case .service(let unit): unit
    case .ownService(let service): service.title
    case .coreCookie(let process): "core-scheduling cookie of process \(process.pid)"
    case .interrupt(let interrupt): "CPUs of interrupt \(interrupt)"
    case .balancedOff(let process): "CPUs that irqbalance \(process.pid) leaves alone"
    case .balancing(let interrupt, let process): "irqbalance \(process.pid) for \(interrupt)"
    case .every(.interrupts(let function)): "interrupts of \(function)"
    case .every(.balancers): "CPUs that irqbalance leaves alone"
    case .every(.balancing(let function)): "irqbalance for the interrupts of \(function)"
    }
  }

  /// Whether a write may take seconds or never come back, so that it is made outside the ledger's
  /// lock.
  package var isSlow: Bool {
    switch self {
    case .hugepagePool, .driver, .virtualFunctions, .virtualFunction, .slot, .platformDriver,
      .module, .console, .functionAttribute, .barSize, .service:
      true
    case .attribute, .allowedCPUs, .affinity, .scheduler, .coreCookie, .interrupt, .balancedOff,
      .balancing, .every:
      false
    case .ownService(let service): service.manner == .awaited
    }
  }

  /// Whether it has no values but two, so that whoever takes back what Berth did leaves the original
  /// there.
  ///
  /// That is his decision then, and nothing to be repaired.
  package var isSwitch: Bool {
    switch self {
    case .service, .ownService: true
    case .attribute, .hugepagePool, .driver, .virtualFunctions, .virtualFunction, .slot,
      .platformDriver, .module, .console, .functionAttribute, .barSize, .allowedCPUs, .affinity,
      .scheduler,
      .coreCookie, .interrupt, .balancedOff, .balancing, .every:
      false
    }
  }

  /// What the setting is one of; nil for one that is named by itself.
  package var collective: Collective? {
    switch self {
    case .interrupt(let interrupt): .interrupts(of: interrupt.function)
    case .balancedOff: .balancers
    case .balancing(let interrupt, _): .balancing(of: interrupt.function)
    default: nil
    }
  }

  /// Whether the place goes on telling its old value for some seconds after a new one was taken.
  package var answersLate: Bool {
    if case .balancedOff = self { true } else { false }
  }

  /// Whether the kernel changes it as a consequence of other settings, so that it is settled after
  /// those.
  package var followsOthers: Bool {
    if case .affinity = self { true } else { false }
  }

  /// Whether the kernel changes followers as a consequence of it.
  package var leadsOthers: Bool {
    if case .allowedCPUs = self { true } else { false }
  }

  /// Whether what stands there cannot be changed while somebody uses it: who comes first decides,
  /// others have to do with it, and it goes back with the last.
  ///
  /// Virtual functions cannot become more or fewer: all of them go first (drivers/pci/pci-sysfs.c,
  /// `sriov_numvfs_store()`).
  package var isFixedWhileHeld: Bool {
    if case .virtualFunctions = self { true } else { false }
  }

  /// Whether a change of it takes away what another setting is about, so that the two do not go
  /// together.
  package func disturbs(_ other: Setting) -> Bool {
    guard case .slot(let slot) = self else { return false }
    return switch other {
    case .driver(let address), .virtualFunctions(let address), .functionAttribute(let address, _):
      slot.contains(address)
    case .barSize(let bar): slot.contains(bar.function)
    case .virtualFunction(let function, _): slot.contains(function.parent)
    case .attribute, .hugepagePool, .slot, .platformDriver, .module, .console, .allowedCPUs,
      .affinity, .scheduler, .coreCookie, .interrupt, .balancedOff, .balancing, .every, .service,
      .ownService:
      false
    }
  }

  /// What the setting is one of many of, where those that somebody else has changed are counted in
  /// one sentence; nil for one of which it is told by itself.
  package var countedWhenForeign: String? {
    let interrupts = "interrupts that somebody else has moved since"
    switch self {
    case .attribute(let path, .cpuList): return path.begins(with: "/proc/irq/") ? interrupts : nil
    case .interrupt: return interrupts
    default: return nil
    }
  }

  /// The setting whose every change makes the kernel change this one, too, in a way that nobody can
  /// tell from somebody's decision; nil for settings that only Berth and people change.
  ///
  /// It is settled after its leader, in both directions: a driver that takes a function or leaves
  /// it decides anew whether the function sleeps (drivers/vfio/pci/vfio_pci_core.c allows it on the
  /// way in and forbids it on the way out).
  package var leader: Setting? {
    if case .functionAttribute(let address, .powerControl) = self { .driver(address) } else { nil }
  }

  /// Whether others rightfully take from and add to the same place at any time.
  ///
  /// Of such a setting only Berth's share is kept and given back, never an old total.
  package var isShared: Bool {
    if case .hugepagePool = self { true } else { false }
  }
}

extension Collective {
  /// Whether members come while nothing calls Berth, as with a guest that loads its drivers.
  package var growsUnannounced: Bool {
    switch self {
    case .interrupts, .balancing: true
    case .balancers: false
    }
  }
}

extension PassedInterrupt: CustomStringConvertible {
  package var description: String { "\(number) of \(function)" }
}
