/// The hardware that a guest sees, as far as it decides how well the host can serve it.
///
/// No plan is made from it: the hook does not read it.
package struct GuestMachine: Hashable, Sendable {
  /// QEMU's name of the machine, such as `pc-q35-9.2`; nil where the configuration leaves it open.
  package var type: String?
  /// nil where the configuration gives none: each vCPU is then a socket of its own.
  package var topology: GuestTopology?
  /// The features that the configuration asks for by name, such as `topoext`.
  package var cpuFeatures: [String] = []
  package var isWindows = false
  package var enlightenments = Enlightenments()
  package var disks: [GuestDisk] = []
  /// The controllers of PCI by their index, which is the number of the bus below each.
  package var buses: [Int: String] = [:]
  /// Where the guest sees the functions that it is handed, for those whose place is given.
  package var places: [PCIAddress: GuestPlace] = [:]
  /// Whether its huge pages come by memfd, which needs no mount of hugetlbfs.
  package var usesMemfd = false
  /// Whether its memory can neither be swapped out nor merged with that of others.
  package var locksMemory = false

  package init() {}
}

/// How a guest's vCPUs are told to be built together.
package struct GuestTopology: Hashable, Sendable {
  package var sockets: Int
  package var dies: Int
  package var cores: Int
  package var threads: Int

  package init(sockets: Int, dies: Int = 1, cores: Int, threads: Int) {
    self.sockets = sockets
    self.dies = dies
    self.cores = cores
    self.threads = threads
  }
}

/// What a guest of Windows is told of its hypervisor, so that it asks it instead of emulated hardware.
package struct Enlightenments: Hashable, Sendable {
  /// Whether all that the host can do are on (`<hyperv mode='passthrough'>`).
  package var areAllOn = false
  /// libvirt's names of those that are on: `relaxed`, `vapic`.
  package var names: Set<String> = []
  /// Whether the guest has the clock that goes with them (`<timer name='hypervclock'>`, `hv-time`).
  package var hasClock = false

  package init() {}
}

/// A disk of a guest.
package struct GuestDisk: Hashable, Sendable {
  /// The guest's name for it: `vda`, `scsi0`.
  package var name: String
  /// Whether it can be served by an iothread: virtio disks, and those of a virtio SCSI controller.
  package var canHaveIOThread: Bool
  package var hasIOThread: Bool

  package init(name: String, canHaveIOThread: Bool, hasIOThread: Bool) {
    self.name = name
    self.canHaveIOThread = canHaveIOThread
    self.hasIOThread = hasIOThread
  }
}

/// The place at which a guest finds a function that is passed to it.
package enum GuestPlace: Hashable, Sendable {
  /// On a bus of its PCI hierarchy.
  case bus(Int)
  /// On a bus of plain PCI, whatever the hierarchy is.
  case conventional
}
