import HostModel
import Testing

@testable import Findings

/// A host on which nothing is wrong, and a domain that has all it could have, to be spoiled.
struct Healthy {
  var host: ExaminedHost
  var domain: ExaminedDomain

  /// Two nodes of four cores with two threads each: CPU n and n+8 share a core, 0-3 are on node 0.
  init(_ hypervisor: Hypervisor = .libvirt, name: String = "win") {
    var topology = Topology()
    for id in 0..<16 {
      var cpu = TopologyCPU(id: id, isOnline: true)
      cpu.siblings = [id % 8, id % 8 + 8]
      cpu.node = id % 8 / 4
      cpu.l3 = id % 8 < 4 ? [0, 1, 2, 3, 8, 9, 10, 11] : [4, 5, 6, 7, 12, 13, 14, 15]
      topology.cpus.append(cpu)
    }
    for id in 0..<2 {
      var node = NodeFacts(id: id)
      node.cpus = CPUList(topology.cpus.filter { $0.node == id }.map(\.id))
      node.memoryKiB = 64 << 20
      node.pools = [PoolFacts(pageKiB: 2048, total: 0, free: 0, surplus: 0)]
      topology.nodes.append(TopologyNode(node, distances: id == 0 ? [10, 21] : [21, 10]))
    }
    var installation = InstallationFacts()
    installation.iommuGroups = 20
    installation.hasLibvirt = true
    installation.hooks = [HookFile(path: "/etc/libvirt/hooks/qemu", target: "/usr/sbin/berth")]
    installation.hugetlbfsKiB = [2048]
    installation.defaultHugepageKiB = 2048
    installation.freeBlocks = [0: 30_000, 1: 30_000]
    topology.cpuVendor = .intel
    host = ExaminedHost(topology: topology, installation: installation)
    domain = Self.domain(hypervisor, name)
    host.domains = [domain]
  }

  private static func domain(_ hypervisor: Hypervisor, _ name: String) -> ExaminedDomain {
    var domain = Domain(
      hypervisor: hypervisor, name: name, id: hypervisor == .proxmox ? "100" : nil, vcpus: 4)
    domain.vcpuPins = [0: [5], 1: [13], 2: [6], 3: [14]]
    domain.emulatorPin = [4, 12]
    domain.iothreads = 1
    domain.iothreadIDs = [1]
    domain.iothreadPins = [1: [4, 12]]
    domain.cells = [
      GuestCell(id: 0, memoryKiB: 16 << 20, pageKiB: 2048, hostNodes: [1], mode: .strict)
    ]
    var machine = GuestMachine()
    machine.type = "pc-q35-10.0"
    machine.topology = GuestTopology(sockets: 1, cores: 2, threads: 2)
    machine.cpuFeatures = ["topoext"]
    machine.disks = [GuestDisk(name: "vda", canHaveIOThread: true, hasIOThread: true)]
    machine.buses = [0: "pcie-root", 5: "pcie-root-port"]
    var examined = ExaminedDomain(domain, file: "win.xml", machine: machine, policy: Policy())
    examined.pins = domain.vcpuPins
    examined.isTuned = true
    examined.hookscript = hypervisor == .proxmox ? "local:snippets/berth" : nil
    return examined
  }

  /// Hands the domain a graphics card of node 1.
  mutating func addCard(managed: Bool = true) throws {
    let address = try #require(PCIAddress("0000:41:00.0"))
    domain.domain.functions = [PassedFunction(address: address, isManaged: managed, kind: .hostdev)]
    var card = FunctionFacts(
      address: address, binding: DriverBinding(driver: "vfio-pci", override: nil))
    card.classCode = 0x030000
    card.node = 1
    card.iommuGroup = 20
    card.link = LinkFacts(
      width: 16, maximumWidth: 16, speed: "16.0 GT/s PCIe", maximumSpeed: "16.0 GT/s PCIe")
    domain.functions = [card]
    domain.machine.places = [address: .bus(5)]
  }

  /// What is found of the host and of the domain, as severity, check and title.
  var findings: [Finding] {
    var host = host
    // The domain is the host's first, as it is now.
    host.domains = [domain] + host.domains.dropFirst()
    return Doctor.findings(on: host, of: [domain])
  }

  var titles: [String] { findings.map { "\($0.severity) \($0.check): \($0.title)" } }
}
