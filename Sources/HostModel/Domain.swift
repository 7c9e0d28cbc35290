internal import Bytes

/// The hypervisor stack that starts a domain.
package enum Hypervisor: String, Sendable, Codable {
  case libvirt
  case proxmox
}

/// One virtual machine as its configuration describes it: what it wants of the host.
package struct Domain: Hashable, Sendable {
  package var hypervisor: Hypervisor
  /// Any text that the hypervisor lets through: it may begin with `-` or hold newlines, and is
  /// never a path or an option.
  package var name: String
  /// The libvirt UUID in lower case, or the vmid; nil where a bare file does not say.
  package var id: String?
  /// The greatest number of vCPUs that the domain can have, not those that are on at its start.
  package var vcpus: Int
  /// The vCPUs that are off when the domain starts, by their numbers: they have no thread of their own
  /// until they are plugged in.
  package var offVCPUs: CPUList = []
  /// The CPUs that one vCPU may run on, by vCPU number.
  ///
  /// `vcpu@cpuset` is the pin of each vCPU that has none of its own.
  package var vcpuPins: [Int: CPUList] = [:]
  /// The vCPUs that have no pin of their own, but that of `vcpu@cpuset`.
  package var vcpusPinnedTogether: CPUList = []
  package var emulatorPin: CPUList?
  /// `vcpu@cpuset`: what libvirt gives every thread that has no pin of its own
  /// (src/qemu/qemu_process.c, `qemuProcessSetupPid()`).
  package var commonPin: CPUList?
  package var iothreads: Int = 0
  /// The identities of the iothreads, ascending: libvirt counts from 1 and allows gaps.
  ///
  /// Those of Proxmox have only names, and are counted from 1 in the order in which QEMU makes them.
  package var iothreadIDs: [Int] = []
  package var iothreadPins: [Int: CPUList] = [:]
  /// The vCPUs whose scheduler the hypervisor itself sets, as `vcpusched` asks.
  package var scheduledVCPUs: CPUList = []
  /// The guest's NUMA nodes, ascending; one cell 0 with all boot memory where it has none.
  package var cells: [GuestCell] = []
  package var memoryDevices: [MemoryDevice] = []
  package var functions: [PassedFunction] = []
  /// The UUIDs of the mediated devices that the domain is handed, by the names that the kernel has for
  /// them.
  package var mediatedDevices: [String] = []
  /// What the domain's `<metadata>` says in Berth's namespace: key and text, in the order of the
  /// document.
  package var metadata: [MetadataKey] = []
  /// What only Proxmox can say; nil for a domain of libvirt's.
  package var proxmox: ProxmoxOptions?

  package init(hypervisor: Hypervisor, name: String, id: String?, vcpus: Int) {
    self.hypervisor = hypervisor
    self.name = name
    self.id = id
    self.vcpus = vcpus
  }
}

extension Domain {
  /// By what the domain is named on a command line: its name, or Proxmox's number.
  package var commandName: String { hypervisor == .proxmox ? id ?? name : name }

  /// The vCPUs that are on when the domain starts, ascending.
  package var onlineVCPUs: [Int] { (0..<vcpus).filter { !offVCPUs.contains($0) } }

  /// The number that Proxmox knows the domain by; nil for any other, and where it is none.
  package var vmid: String? {
    guard hypervisor == .proxmox, let id, !id.isEmpty,
      id.utf8.allSatisfy(\.isDigit)
    else { return nil }
    return id
  }
}

extension Domain {
  /// What the hypervisor itself pins, by thread; vCPUs that are off have none.
  package var hardPins: [(thread: String, cpus: CPUList)] {
    if let affinity = proxmox?.affinity { return [("QEMU", affinity)] }
    var pins = onlineVCPUs.compactMap { vcpu in vcpuPins[vcpu].map { ("vCPU \(vcpu)", $0) } }
    if let emulatorPin { pins.append(("the emulator", emulatorPin)) }
    pins += iothreadPins.sorted { $0.key < $1.key }.map { ("iothread \($0.key)", $0.value) }
    return pins.filter { !$0.1.isEmpty }
  }
}

/// One NUMA node of a guest, and where on the host its memory is to come from.
package struct GuestCell: Hashable, Sendable {
  package var id: Int
  package var memoryKiB: Int
  /// The page size of the memory behind it; nil for ordinary pages, 0 for the host's default huge
  /// page size.
  package var pageKiB: Int?
  /// The host nodes; nil where the configuration names none.
  package var hostNodes: CPUList?
  package var mode: MemoryMode?

  package init(
    id: Int, memoryKiB: Int, pageKiB: Int? = nil, hostNodes: CPUList? = nil, mode: MemoryMode? = nil
  ) {
    self.id = id
    self.memoryKiB = memoryKiB
    self.pageKiB = pageKiB
    self.hostNodes = hostNodes
    self.mode = mode
  }
}

/// How strictly memory is bound to host nodes, in the words of libvirt's `numatune` and of the
/// policies of Proxmox.
package enum MemoryMode: String, Hashable, Sendable {
  case strict
  case preferred
  case interleave
  case restrictive
  /// The word of Proxmox for `strict`.
  case bind
}

/// A memory module of a domain besides its boot memory: it takes huge pages of its own.
package struct MemoryDevice: Hashable, Sendable {
  /// What the module takes when the domain starts.
  package var sizeKiB: Int
  package var pageKiB: Int?
  package var hostNodes: CPUList?
  package var mode: MemoryMode?

  package init(sizeKiB: Int, pageKiB: Int?, hostNodes: CPUList?, mode: MemoryMode? = nil) {
    self.sizeKiB = sizeKiB
    self.pageKiB = pageKiB
    self.hostNodes = hostNodes
    self.mode = mode
  }
}

/// A PCI function that is handed to a domain.
package struct PassedFunction: Hashable, Sendable {
  /// The element of the configuration that names the function.
  package enum Kind: String, Hashable, Sendable {
    case hostdev
    case interface
    case nvme
    case hostpci
    /// The function that a mediated device is made on: the host keeps its driver.
    case mdev
    /// One that QEMU's own arguments name, of which the hypervisor knows nothing.
    case argument
  }

  package var address: PCIAddress
  /// Whether the hypervisor changes the function's driver by itself.
  package var isManaged: Bool
  package var kind: Kind
  /// The driver that the configuration wants the function to have; nil where it names none.
  package var driver: String?

  package init(address: PCIAddress, isManaged: Bool, kind: Kind, driver: String? = nil) {
    self.address = address
    self.isManaged = isManaged
    self.kind = kind
    self.driver = driver
  }
}

/// One element of Berth's namespace in a domain's `<metadata>`.
package struct MetadataKey: Hashable, Sendable {
  /// The names of the elements below the root of the namespace, joined by dots; the root's own
  /// name where nothing is below it.
  package var key: String
  package var text: String

  package init(key: String, text: String) {
    self.key = key
    self.text = text
  }
}
