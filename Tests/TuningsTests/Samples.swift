import HostModel

@testable import Tunings

/// A two-node host with 16 CPUs (siblings n and n+8) and a domain for it.
enum Sample {
  static var host: HostFacts {
    var host = HostFacts()
    host.kernel = KernelVersion(major: 6, minor: 12)
    host.possibleCPUs = CPUList(0...15)
    host.onlineCPUs = CPUList(0...15)
    host.cores = (0...7).map { [$0, $0 + 8] }
    host.nodes = [node(0, free: 8 << 20), node(1, free: 6 << 20)]
    host.hugepageSizes = [
      HugepageSizeFacts(pageKiB: 2048, free: 0, reserved: 0),
      HugepageSizeFacts(pageKiB: 1 << 20, free: 0, reserved: 0),
    ]
    host.defaultHugepageKiB = 2048
    host.units = ["init.scope", "system.slice", "user.slice"].map(UnitFacts.init)
    host.realtimeRuntimeMicroseconds = 950_000
    return host
  }

  private static func node(_ id: Int, free: Int) -> NodeFacts {
    var node = NodeFacts(id: id)
    node.cpus = CPUList(id * 4..<id * 4 + 4).union(CPUList(id * 4 + 8..<id * 4 + 12))
    node.memoryKiB = 16 << 20
    node.freeKiB = free
    node.pools = [2048, 1 << 20].map { PoolFacts(pageKiB: $0, total: 0, free: 0, surplus: 0) }
    return node
  }

  static var domain: Domain {
    var domain = Domain(hypervisor: .libvirt, name: "win10", id: "u-u-i-d", vcpus: 2)
    domain.vcpuPins = [0: [4], 1: [12]]
    domain.iothreads = 1
    domain.iothreadIDs = [1]
    domain.cells = [
      GuestCell(id: 0, memoryKiB: 4 << 20, pageKiB: 2048, hostNodes: [1], mode: .strict)
    ]
    return domain
  }

  static func plan(
    _ tuning: any Tuning, _ phase: Phase = .prepare, domain: Domain = domain,
    policy: Policy = Policy(), on host: HostFacts = host
  ) -> Plan {
    tuning.plan(Request(domain: domain, phase: phase, policy: policy), on: host)
  }

  static func needs(
    _ tuning: any Tuning, _ phase: Phase, domain: Domain = domain, policy: Policy = Policy()
  ) -> FactNeeds {
    tuning.needs(for: Request(domain: domain, phase: phase, policy: policy))
  }

  static var function: FunctionFacts {
    let address = PCIAddress(domain: 0, bus: 0x41, slot: 0, function: 0)
    var function = FunctionFacts(
      address: address ?? PCIAddress("41:00.0") ?? other,
      binding: DriverBinding(driver: "igb", override: nil))
    function.iommuGroup = 7
    return function
  }

  static var other: PCIAddress {
    guard let address = PCIAddress("0000:41:00.1") else { preconditionFailure("a fixed address") }
    return address
  }
}
