/// What a virtual machine's configuration says on Proxmox VE, and has no word for on libvirt.
package struct ProxmoxOptions: Hashable, Sendable {
  /// The CPUs that QEMU is started on: all of its threads inherit them (`affinity`).
  package var affinity: CPUList?
  /// How many vCPUs are on at the start (`vcpus`).
  package var onlineVCPUs: Int
  /// How many there are by `sockets` and `cores`, whatever `args` says; 0 where that is not known.
  package var configuredVCPUs = 0
  package var hugepages: HugepageChoice?
  /// How many threads a core of the guest has, by `-smp` in `args`; nil where that says nothing.
  package var guestThreads: Int?
  /// Whether the pages outlive the machine (`keephugepages`).
  package var keepsHugepages = false
  /// The pieces that Proxmox allocates the memory in, as far as that is in huge pages.
  package var hugepageParts: [HugepagePart] = []
  /// The devices that are handed over, ascending by N of `hostpciN`.
  package var devices: [ProxmoxDevice] = []
  /// QEMU's names of the iothreads, in the order of `Domain.iothreadIDs`: `iothread-virtioscsi0`.
  package var iothreads: [String] = []
  package var hasBalloon = true
  /// Arguments that are appended to QEMU's (`args`).
  package var arguments: String?
  /// Why Proxmox lets nobody change the machine now, such as `backup` (`lock`).
  package var lock: String?
  /// Whether it is hibernated, and so will go on as it was (`vmstate`).
  package var isHibernated = false
  /// The keys of `[PENDING]` that are counted in, as they will be at the next start.
  package var pending: [String] = []
  /// Those of `[PENDING]` that are not counted in, as it goes on as it was.
  package var waiting: [String] = []
  /// Why Proxmox will not start it, as far as that is known by now.
  package var refusals: [ProxmoxRefusal] = []
  /// Whether it is a template: it starts for a backup only, without devices and huge pages.
  package var isTemplate = false
  /// The notes that people keep in the configuration, decoded.
  package var description = ""

  package init(onlineVCPUs: Int) { self.onlineVCPUs = onlineVCPUs }
}

/// Which huge pages a machine's memory is made of (`hugepages`).
package enum HugepageChoice: Hashable, Sendable {
  /// Pages of 1 GiB where the host has them and the memory is made up of them, else of 2 MiB.
  case any
  case size(kiB: Int)

  /// The pages behind a piece of memory on a host whose kernel offers `offered`
  /// (`hugepages_size()` in src/PVE/QemuServer/Memory.pm).
  package func pageKiB(forKiB sizeKiB: Int, among offered: [Int]) -> Int {
    switch self {
    case .size(let kiB): kiB
    case .any: sizeKiB % (1 << 20) == 0 && offered.contains(1 << 20) ? 1 << 20 : 2048
    }
  }
}

/// A piece of memory in huge pages, which Proxmox takes from one host node.
package struct HugepagePart: Hashable, Sendable {
  package var sizeKiB: Int
  package var node: Int

  package init(sizeKiB: Int, node: Int) {
    self.sizeKiB = sizeKiB
    self.node = node
  }
}

/// Huge pages that Proxmox wants free in one pool when a machine starts.
package struct HugepageDemand: Hashable, Sendable {
  package var pool: HugepagePool
  package var pages: Int

  package init(pool: HugepagePool, pages: Int) {
    self.pool = pool
    self.pages = pages
  }
}

/// One device that is handed over: `hostpciN`.
package struct ProxmoxDevice: Hashable, Sendable {
  package enum Source: Hashable, Sendable {
    /// All of these together, as the functions of one device.
    case host([PCISelection])
    /// A name from `/etc/pve/mapping/pci.cfg`, which each node has its own devices for.
    case mapping(String)
  }

  package var number: Int
  package var source: Source
  /// Whether Proxmox leaves driver and state of the functions alone (`driver=keep`).
  package var keepsDriver: Bool
  /// The type of the mediated device that Proxmox makes instead of handing the function over.
  package var mediatedType: String?
  /// Whether the guest is to see it on PCI Express (`pcie=1`).
  package var isExpress = false

  package var kind: PassedFunction.Kind { mediatedType == nil ? .hostpci : .mdev }

  package init(number: Int, source: Source, keepsDriver: Bool = false, mediatedType: String? = nil)
  {
    self.number = number
    self.source = source
    self.keepsDriver = keepsDriver
    self.mediatedType = mediatedType
  }
}

extension ProxmoxOptions {
  /// Whether it may be on for a backup only, frozen and for as long as that takes.
  ///
  /// Proxmox starts a machine that is off for its backup, and a machine that it has stopped for one; only the
  /// latter runs on, and both have the lock (`enforce_vm_running_for_backup()` and
  /// `resume_vm_after_job_start()` in src/PVE/VZDump/QemuServer.pm).
  package var isBeingBackedUp: Bool { lock == "backup" }

  /// The names of the mappings that devices are taken from, in the order of the devices.
  package var mappings: [String] {
    devices.compactMap { device in
      guard case .mapping(let name) = device.source else { return nil }
      return name
    }
  }

  /// What Proxmox counts in each pool before it starts QEMU, ascending by page size and node.
  ///
  /// It takes what is free there for its own, and refuses the start where that and what it can
  /// allocate at once are too little (`hugepages_allocate()` in src/PVE/QemuServer/Memory.pm).
  package func hugepageDemands(among offered: [Int]) -> [HugepageDemand] {
    guard let hugepages else { return [] }
    var pages: [HugepagePool: Int] = [:]
    for part in hugepageParts {
      let pageKiB = hugepages.pageKiB(forKiB: part.sizeKiB, among: offered)
      let pool = HugepagePool(node: part.node, pageKiB: pageKiB)
      pages[pool, default: 0] += (part.sizeKiB + pageKiB - 1) / pageKiB
    }
    let demands = pages.map { HugepageDemand(pool: $0.key, pages: $0.value) }
    return demands.sorted {
      ($0.pool.pageKiB, $0.pool.node) < ($1.pool.pageKiB, $1.pool.node)
    }
  }

  /// The functions that the devices are, and those of `args`, on a host that has `present` and whose node has these
  /// alternatives for each mapping; in the order of the devices.
  ///
  /// Of several alternatives Proxmox takes the first that is free, after its only hook before the
  /// start: only a mapping with a single one tells its functions.
  package func functions(
    among present: [PCIAddress], mappings: [String: [[PCISelection]]] = [:]
  ) -> [PassedFunction] {
    let own = devices.flatMap { device -> [PassedFunction] in
      let selections: [PCISelection]
      switch device.source {
      case .host(let named): selections = named
      case .mapping(let name):
        let alternatives = mappings[name] ?? []
        selections = alternatives.count == 1 ? alternatives[0] : []
      }
      return selections.flatMap { $0.functions(among: present) }.map { address in
        PassedFunction(address: address, isManaged: !device.keepsDriver, kind: device.kind)
      }
    }
    return own + argumentFunctions.filter { named in !own.contains { $0.address == named.address } }
  }

  /// The functions that `args` hands over, which Proxmox does not bind.
  private var argumentFunctions: [PassedFunction] {
    QEMUArguments(arguments).devices.compactMap { device in
      guard case .function(let address) = device else { return nil }
      return PassedFunction(address: address, isManaged: false, kind: .hostpci)
    }
  }
}

extension Domain {
  /// Settles what a configuration of Proxmox leaves to the host: the pages of `hugepages: any`, the
  /// functions of whole slots and of mappings with one alternative.
  ///
  /// `offered` are the page sizes of the kernel in KiB, `present` all PCI functions of the host.
  package mutating func settle(
    offering offered: [Int], present: [PCIAddress], mappings: [String: [[PCISelection]]] = [:]
  ) {
    guard let proxmox else { return }
    functions = proxmox.functions(among: present, mappings: mappings)
    guard let hugepages = proxmox.hugepages else { return }
    for index in cells.indices {
      // Without cells of its own, the memory is in one piece for each socket.
      let piece = cells.count == 1 ? proxmox.hugepageParts.first?.sizeKiB : nil
      cells[index].pageKiB = hugepages.pageKiB(
        forKiB: piece ?? cells[index].memoryKiB, among: offered)
    }
  }
}
