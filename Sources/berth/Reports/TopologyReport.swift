internal import HostModel

/// How a host is built, and who runs on it.
///
/// The names of its keys are part of what `berth topology --json` promises; what the host does not
/// tell is null.
struct TopologyReport: Encodable {
  var kernel: String
  var cpus: [CPU]
  var nodes: [Node]
  var pci: [Function]
  var guests: [Guest]
  var isolated: String
  /// The CPUs that are online and not isolated.
  var housekeeping: String

  struct CPU: Encodable {
    var id: Int
    var online: Bool
    @Nullable var core: Int?
    @Nullable var die: Int?
    @Nullable var package: Int?
    @Nullable var node: Int?
    @Nullable var l3: String?
    @Nullable var l3KiB: Int?
    var siblings: String
    @Nullable var kind: String?
  }

  struct Node: Encodable {
    var id: Int
    var cpus: String
    var memoryKiB: Int
    var freeKiB: Int
    var distances: [Int]
    var hugepages: [Pool]
  }

  struct Pool: Encodable {
    var pageKiB: Int
    var total: Int
    var free: Int
  }

  struct Function: Encodable {
    var address: String
    @Nullable var node: Int?
    @Nullable var iommuGroup: Int?
    @Nullable var driver: String?
    var vendor: String
    var device: String
    var `class`: String
    @Nullable var link: Link?
  }

  struct Link: Encodable {
    var width: Int
    var maxWidth: Int
    var speed: String
    var maxSpeed: String
  }

  struct Guest: Encodable {
    var name: String
    var vcpus: [Thread]
    var iothreads: [Thread]
    @Nullable var emulator: String?
  }

  struct Thread: Encodable {
    var id: Int
    var cpus: String
  }
}

/// A value that is written as null where there is none, instead of being left out.
@propertyWrapper
struct Nullable<Value: Encodable>: Encodable {
  var wrappedValue: Value?

  init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}

extension TopologyReport {
  init(_ topology: Topology) {
    kernel = topology.kernel
    cpus = topology.cpus.map(CPU.init)
    nodes = topology.nodes.map(Node.init)
    pci = topology.functions.map(Function.init)
    guests = topology.guests.map(Guest.init)
    isolated = "\(topology.isolatedCPUs)"
    housekeeping = "\(topology.onlineCPUs.subtracting(topology.isolatedCPUs))"
  }
}

extension TopologyReport.CPU {
  init(_ cpu: TopologyCPU) {
    self.init(
      id: cpu.id, online: cpu.isOnline, core: cpu.core, die: cpu.die, package: cpu.package,
      node: cpu.node, l3: cpu.l3.map { "\($0)" }, l3KiB: cpu.l3KiB, siblings: "\(cpu.siblings)",
      kind: cpu.kind?.rawValue)
  }
}

extension TopologyReport.Node {
  init(_ node: TopologyNode) {
    self.init(
      id: node.id, cpus: "\(node.cpus)", memoryKiB: node.memoryKiB, freeKiB: node.freeKiB,
      distances: node.distances,
      hugepages: node.pools.map {
        TopologyReport.Pool(pageKiB: $0.pageKiB, total: $0.total, free: $0.free)
      })
  }
}

extension TopologyReport.Function {
  init(_ function: TopologyFunction) {
    self.init(
      address: "\(function.address)", node: function.node, iommuGroup: function.iommuGroup,
      driver: function.driver, vendor: function.vendor, device: function.device,
      class: function.classCode,
      link: function.link.map {
        TopologyReport.Link(
          width: $0.width, maxWidth: $0.maximumWidth, speed: $0.speed, maxSpeed: $0.maximumSpeed)
      })
  }
}

extension TopologyReport.Guest {
  init(_ guest: TopologyGuest) {
    self.init(
      name: guest.name, vcpus: Self.threads(guest.vcpus), iothreads: Self.threads(guest.iothreads),
      emulator: guest.emulator.map { "\($0)" })
  }

  private static func threads(_ threads: [Int: CPUList]) -> [TopologyReport.Thread] {
    threads.sorted { $0.key < $1.key }
      .map { TopologyReport.Thread(id: $0.key, cpus: "\($0.value)") }
  }
}
