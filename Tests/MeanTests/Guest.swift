import Bytes
import HostModel

/// A VM of the crowd that histories are made of: what it wants, and how it is right now.
final class Guest {
  let number: Int
  let domain: Domain
  let policy: Policy
  let id: HolderID
  /// Its memory, in huge pages of one node.
  let node = 1
  let pages: Int
  /// The functions that it has while it runs.
  let functions: [String]

  /// Its QEMU; 0 without one.
  var pid = 0
  /// Whether that was seen to be the domain's.
  var isRecognised = true
  var hasScope = false
  /// Pages of its memory that it has touched, and mapped besides.
  var touched = 0
  var mapped = 0
  /// Whether it is in, or on its way in, so that what it needs is not there for others.
  var isCounted = false
  /// The functions that were claimed for it when its QEMU came up.
  var held: [String] = []
  /// Whether its CPUs were its own once its hook for that was over.
  var isIsolated = false
  /// Whether its hypervisor is at work on it.
  var isBusy = false
  /// When its last start began, and when it left last.
  var preparedAt: UInt64 = 0
  var leftAt: UInt64 = 0
  /// What of the host is to go with its QEMU.
  var overlays: [String] = []

  init(number: Int, domain: Domain, policy: Policy, pages: Int, functions: [String]) {
    self.number = number
    self.domain = domain
    self.policy = policy
    self.pages = pages
    self.functions = functions
    id = HolderID(hypervisor: domain.hypervisor, id: domain.id ?? domain.name)
  }

  var runs: Bool { pid != 0 }
  var name: String { domain.name }

  var scopeName: String {
    domain.hypervisor == .libvirt ? "machine-qemu-\(name).scope" : "\(name).scope"
  }

  var group: String {
    domain.hypervisor == .libvirt ? "machine.slice/\(scopeName)" : "qemu.slice/\(scopeName)"
  }

  /// The cgroup whose CPUs are isolated.
  var partition: HostPath { "/sys/fs/cgroup/\(below: group)/libvirt/vcpu0/cpuset.cpus.partition" }

  var pidFile: String {
    domain.hypervisor == .libvirt
      ? "run/libvirt/qemu/\(name).pid" : "run/qemu-server/\(name).pid"
  }

  /// What the arguments of its QEMU are.
  var arguments: [String] {
    if domain.hypervisor == .proxmox {
      let file = isRecognised ? "/var/\(pidFile)" : "/var/run/other.pid"
      return ["/usr/bin/kvm", "-id", name, "-pidfile", file]
    }
    let guest = isRecognised ? name : "another"
    return ["/usr/bin/qemu-system-x86_64", "-name", "guest=\(guest),debug-threads=on"]
  }
}

extension Guest {
  static let count = 5

  /// The VM of a number; each history has VMs of its own.
  static func make(_ number: Int) throws -> Guest {
    switch number {
    case 0: try isolated()
    case 1: try busy()
    case 2: try proxmox(100, pages: 32)
    case 3: try proxmox(101, pages: 24)
    default: try plain()
    }
  }

  private static func domain(_ name: String, on cpus: [Int], pages: Int) -> Domain {
    var domain = Domain(hypervisor: .libvirt, name: name, id: name, vcpus: cpus.count)
    for (vcpu, cpu) in cpus.enumerated() { domain.vcpuPins[vcpu] = [cpu] }
    domain.cells = [cell(of: pages)]
    return domain
  }

  private static func cell(of pages: Int) -> GuestCell {
    GuestCell(
      id: 0, memoryKiB: pages * SmallHost.pageKiB, pageKiB: SmallHost.pageKiB, hostNodes: [1],
      mode: .strict)
  }

  /// Has its CPU to itself, a card with its sound, and a limit of latency.
  private static func isolated() throws -> Guest {
    var policy = Policy()
    policy.pci.functions = ["0000:05:00.0", "0000:05:00.1"].compactMap { PCIAddress($0) }
    policy.cpu.maximumWakeupLatency = 2
    return Guest(
      number: 0, domain: domain("a", on: [5], pages: 32), policy: policy, pages: 32,
      functions: ["0000:05:00.0", "0000:05:00.1"])
  }

  /// Wants quiet of interrupts, services and the kernel, and the same card.
  private static func busy() throws -> Guest {
    var policy = Policy()
    policy.isolation = .none
    policy.pci.functions = ["0000:05:00.0", "0000:05:00.1"].compactMap { PCIAddress($0) }
    policy.interrupts.move = .always
    policy.beside.stoppedServices = [SmallHost.service]
    policy.settings = [
      Policy.Attribute(path: "/proc/sys/kernel/numa_balancing", value: "0")
    ]
    policy.cpu.maximumWakeupLatency = 20
    return Guest(
      number: 1, domain: domain("b", on: [6, 7], pages: 40), policy: policy, pages: 40,
      functions: ["0000:05:00.0", "0000:05:00.1"])
  }

  /// Has pages, pins, and a slot found anew before it starts.
  private static func plain() throws -> Guest {
    var policy = Policy()
    policy.isolation = .none
    policy.cpu.maximumWakeupLatency = 20
    policy.settings = [
      Policy.Attribute(path: "/proc/sys/kernel/numa_balancing", value: "0")
    ]
    if let slot = PCISlot("0000:07:00") { policy.pci.rescanned = [slot] }
    return Guest(
      number: 4, domain: domain("c", on: [4, 7], pages: 24), policy: policy, pages: 24,
      functions: [])
  }

  /// A VM of Proxmox's, which binds the card itself and never gives it back.
  private static func proxmox(_ vmid: Int, pages: Int) throws -> Guest {
    var domain = Domain(hypervisor: .proxmox, name: "\(vmid)", id: "\(vmid)", vcpus: 1)
    domain.functions = ["0000:06:00.0"].compactMap { PCIAddress($0) }.map {
      PassedFunction(address: $0, isManaged: true, kind: .hostpci)
    }
    domain.cells = [cell(of: pages)]
    var options = ProxmoxOptions(onlineVCPUs: 1)
    options.hugepages = .size(kiB: SmallHost.pageKiB)
    options.hugepageParts = [HugepagePart(sizeKiB: pages * SmallHost.pageKiB, node: 1)]
    domain.proxmox = options
    var policy = Policy()
    policy.isolation = .none
    return Guest(
      number: vmid - 98, domain: domain, policy: policy, pages: pages,
      functions: ["0000:06:00.0"])
  }
}
