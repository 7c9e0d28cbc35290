/// What the administrator has decided for one domain: defaults, profile and the domain's own
/// section of the policy file, put together.
package struct Policy: Hashable, Sendable {
  /// Whether Berth does anything for the domain.
  package var isEnabled = true
  package var isolation = Isolation.auto
  package var memory = Memory()
  package var pci = PCI()
  package var sriov = SRIOV()
  /// Whether text consoles and the firmware's framebuffer are taken off a display that the domain
  /// takes.
  package var releasesConsoles = false
  package var pins = Pins()
  /// Whether the CPUs that the configuration names for the domain as a whole are divided among its
  /// threads.
  package var pinsAutomatically = true
  /// How many threads a core of the guest has; nil for what the configuration says.
  package var guestThreads: Int?
  /// The `SCHED_FIFO` priority of the vCPU threads; nil leaves their scheduler alone.
  package var fifoPriority: Int?
  /// Whether no foreign thread may run on a core at the same time as one of the domain's QEMU.
  package var hasCoreCookie = false
  package var cpu = CPU()
  package var interrupts = Interrupts()
  package var kernelThreads = KernelThreads.auto
  /// Ascending by their paths.
  package var settings: [Attribute] = []
  package var beside = Beside()
  package var budgets = Budgets()
  /// What no domain gets, whatever is said of it elsewhere.
  package var limits = Limits()
  /// Whether the name of a domain of Proxmox's finds its section of the policy file.
  package var countsProxmoxNames = false

  package init() {}

  /// How the host's tasks are kept off the CPUs of a domain's vCPUs.
  package enum Isolation: String, Hashable, Sendable, CaseIterable {
    /// By the first of the mechanisms below that the host can do, if the domain's every vCPU is
    /// pinned to one CPU that no other domain claims.
    case auto
    /// By an isolated cpuset partition for each vCPU.
    case partition
    /// By `AllowedCPUs=` on the units that hold the host's tasks.
    case slices
    case none
  }

  /// When the kernel's own threads and its unbound work are moved off the CPUs of a domain's vCPUs.
  package enum KernelThreads: String, Hashable, Sendable, CaseIterable {
    /// Where the domain is isolated by `AllowedCPUs=`: a partition does it by itself.
    case auto
    case never
  }

  package struct Memory: Hashable, Sendable {
    /// When memory is compacted.
    package enum Compaction: String, Hashable, Sendable, CaseIterable {
      /// Where a pool could not be filled at the first try.
      case auto
      /// Before every start of a domain that is bound to nodes.
      case always
      case never
    }

    /// Whether huge pages that the domain uses are reserved for it.
    package var reservesHugepages = true
    /// Whether a domain may not start without its huge pages.
    package var requiresHugepages = true
    package var compaction = Compaction.auto
    /// Whether clean page cache may be dropped where compaction was not enough.
    package var dropsCaches = false

    package init() {}
  }

  package struct PCI: Hashable, Sendable {
    /// The driver that functions are handed to.
    package var driver = "vfio-pci"
    /// Functions to bind besides those that the domain's configuration leaves to others.
    package var functions: [PCIAddress] = []
    /// Slots whose every function is to be bound; who reads the host puts their functions among
    /// `functions`.
    package var slots: [PCISelection] = []
    /// Functions that may be taken from the host although it visibly uses them.
    package var forced: [PCIAddress] = []
    /// Slots whose functions are taken off the bus and found again before the start.
    package var rescanned: [PCISlot] = []
    /// Slots whose every function may be taken so.
    package var forcedSlots: [PCISelection] = []
    /// Whether a domain may not start without its functions.
    package var requiresFunctions = true
    /// Whether functions that the hypervisor binds and never gives back go back to their drivers.
    package var givesBack = true
    /// How long a start waits for processes to let go of a function.
    package var waitMilliseconds = 0
    /// Modules that are unloaded before functions change their drivers, in this order.
    package var unloadedModules: [String] = []
    /// The ways to reset the functions, in this order; nil leaves them alone.
    package var resetMethods: [String]?
    /// Whether the functions may lose their power altogether; nil leaves it alone.
    package var allowsD3Cold: Bool?
    /// `auto` or `on`; nil leaves it alone.
    package var powerControl: PowerControl?
    /// Ascending by their names in the file.
    package var barSizes: [BARWish] = []

    package init() {}

    /// Whether a function may be taken although the host visibly uses it.
    package func forces(_ address: PCIAddress) -> Bool {
      forced.contains(address) || forcedSlots.contains { $0.functions(among: [address]) != [] }
    }
  }

  /// The size that a BAR is to have.
  package struct BARWish: Hashable, Sendable {
    package var bar: BAR
    /// A power of two.
    package var mebibytes: Int

    package init(_ bar: BAR, mebibytes: Int) {
      self.bar = bar
      self.mebibytes = mebibytes
    }
  }

  /// Whether a function sleeps by itself.
  package enum PowerControl: String, Hashable, Sendable, CaseIterable {
    case auto
    case on
  }

  /// The CPUs of threads that the domain's configuration does not pin itself.
  package struct Pins: Hashable, Sendable {
    package var vcpus: [Int: CPUList] = [:]
    package var iothreads: [Int: CPUList] = [:]
    package var emulator: CPUList?

    package init() {}
  }

  /// How long a phase may take, in milliseconds.
  package struct Budgets: Hashable, Sendable {
    package var beforeStart = 120_000
    package var running = 5_000
    package var givingBack = 30_000

    package init() {}

    package func milliseconds(for phase: Phase) -> Int {
      switch phase {
      case .prepare, .start: beforeStart
      case .started, .reconnect: running
      case .stopped, .release: givingBack
      }
    }
  }
}
