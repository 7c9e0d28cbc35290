import Advice
import HostModel

/// A host that is built in code: nodes of cores, as one reads of them in data sheets.
struct Machine: Sendable, CustomStringConvertible {
  var name: String
  var topology = Topology()

  var description: String { name }

  /// How the threads of a core are numbered.
  enum Numbering {
    /// All first threads, then all second ones.
    case apart
    /// The threads of a core one after the other.
    case together
  }

  /// One third-level cache and its cores.
  struct Cluster {
    var cores: Int
    var threads: Int
    var l3KiB: Int?
    var kind: CoreKind?
  }

  init(_ name: String, topology: Topology) {
    self.name = name
    self.topology = topology
  }

  /// A host whose nodes consist of these clusters.
  init(
    _ name: String, numbering: Numbering = .apart, nodes: [[Cluster]], gibibytes: Int = 64,
    pages: [Int] = [2048, 1 << 20], hasDies: Bool = true
  ) {
    self.name = name
    var cores: [(cluster: Cluster, node: Int, cache: Int)] = []
    for (node, clusters) in nodes.enumerated() {
      for cluster in clusters {
        let cache = cores.last.map { $0.cache + 1 } ?? 0
        cores += (0..<cluster.cores).map { _ in (cluster, node, cache) }
      }
    }
    var threads: [[Int]] = cores.map { _ in [] }
    var next = 0
    if numbering == .together {
      for (index, core) in cores.enumerated() {
        threads[index] = Array(next..<(next + core.cluster.threads))
        next += core.cluster.threads
      }
    } else {
      for round in 0..<(cores.map(\.cluster.threads).max() ?? 0) {
        for (index, core) in cores.enumerated() where core.cluster.threads > round {
          threads[index].append(next)
          next += 1
        }
      }
    }
    let caches = Dictionary(grouping: cores.indices, by: { cores[$0].cache })
      .mapValues { CPUList($0.flatMap { threads[$0] }) }
    for (index, core) in cores.enumerated() {
      for id in threads[index] {
        var cpu = TopologyCPU(id: id, isOnline: true)
        cpu.node = core.node
        cpu.package = core.node
        cpu.core = index
        cpu.die = hasDies ? 0 : nil
        cpu.siblings = CPUList(threads[index])
        cpu.kind = core.cluster.kind
        if let l3KiB = core.cluster.l3KiB {
          cpu.l3KiB = l3KiB
          cpu.l3 = caches[core.cache]
        }
        topology.cpus.append(cpu)
      }
    }
    topology.cpus.sort { $0.id < $1.id }
    for node in nodes.indices {
      var facts = NodeFacts(id: node)
      facts.memoryKiB = gibibytes << 20
      facts.freeKiB = facts.memoryKiB / 8 * 7
      facts.cpus = CPUList(topology.cpus.filter { $0.node == node }.map(\.id))
      facts.pools = pages.map { PoolFacts(pageKiB: $0, total: 0, free: 0, surplus: 0) }
      let distances = nodes.indices.map { other in
        node == other ? 10 : node / 2 == other / 2 ? 16 : 32
      }
      topology.nodes.append(TopologyNode(facts, distances: nodes.count > 1 ? distances : []))
    }
  }

  func changed(_ name: String, _ change: (inout Topology) -> Void) -> Machine {
    var machine = self
    machine.name = name
    change(&machine.topology)
    return machine
  }

  /// A display on a node; nil stands for firmware that does not tell.
  static func display(on node: Int?) -> TopologyFunction {
    guard let address = PCIAddress(domain: 0, bus: 0x40 + (node ?? 0), slot: 0, function: 0) else {
      preconditionFailure("there is such an address")
    }
    var function = TopologyFunction(
      address: address, vendor: "0x10de", device: "0x2684", classCode: "0x030000")
    function.node = node
    return function
  }
}

extension Machine {
  static let desktop = Machine(
    "8 cores without SMT", nodes: [[Cluster(cores: 8, threads: 1, l3KiB: 16384)]])

  static let intelServer = Machine(
    "2 nodes, numbered as Intel does",
    nodes: Array(repeating: [Cluster(cores: 8, threads: 2, l3KiB: 24576)], count: 2))

  static let amdServer = Machine(
    "2 nodes of 4 caches, threads side by side", numbering: .together,
    nodes: Array(
      repeating: Array(repeating: Cluster(cores: 4, threads: 2, l3KiB: 16384), count: 4),
      count: 2))

  static let stackedCache = Machine(
    "2 dies, one with a large cache",
    nodes: [
      [
        Cluster(cores: 8, threads: 2, l3KiB: 98304), Cluster(cores: 8, threads: 2, l3KiB: 32768),
      ]
    ])

  static let hybrid = Machine(
    "8 performance and 16 efficiency cores", numbering: .together,
    nodes: [
      [
        Cluster(cores: 8, threads: 2, l3KiB: 36864, kind: .performance),
        Cluster(cores: 16, threads: 1, l3KiB: 36864, kind: .efficiency),
      ]
    ]
  ).changed("8 performance and 16 efficiency cores") { topology in
    let all = topology.onlineCPUs
    for index in topology.cpus.indices { topology.cpus[index].l3 = all }
  }

  static let large = Machine(
    "8 nodes, 512 CPUs",
    nodes: Array(
      repeating: Array(repeating: Cluster(cores: 8, threads: 2, l3KiB: 32768), count: 4),
      count: 8), gibibytes: 256)

  static let arm = Machine(
    "Arm, 64 cores without L3", nodes: [[Cluster(cores: 64, threads: 1)]],
    pages: [64, 2048, 32768, 1 << 20], hasDies: false)

  static let power = Machine(
    "POWER, 8 threads a core", numbering: .together,
    nodes: Array(repeating: [Cluster(cores: 10, threads: 8)], count: 2), pages: [16384, 16 << 20],
    hasDies: false
  ).changed("POWER, 8 threads a core, nodes 0 and 8") { topology in
    topology.nodes[1].id = 8
    for index in topology.cpus.indices where topology.cpus[index].node == 1 {
      topology.cpus[index].node = 8
    }
  }

  static let halfFed = Machine(
    "4 nodes, two without memory",
    nodes: Array(
      repeating: [Cluster(cores: 8, threads: 2, l3KiB: 16384)], count: 4)
  ).changed("4 nodes, two without memory") { topology in
    for index in [1, 3] {
      topology.nodes[index].memoryKiB = 0
      topology.nodes[index].freeKiB = 0
      topology.nodes[index].pools = []
    }
  }

  static let expanded = Machine(
    "a node of memory alone", nodes: [[Cluster(cores: 8, threads: 2, l3KiB: 16384)]]
  ).changed("a node of memory alone") { topology in
    var facts = NodeFacts(id: 1)
    facts.memoryKiB = 256 << 20
    facts.freeKiB = 250 << 20
    facts.pools = [PoolFacts(pageKiB: 2048, total: 0, free: 0, surplus: 0)]
    topology.nodes[0].distances = [10, 30]
    topology.nodes.append(TopologyNode(facts, distances: [30, 10]))
  }

  static let ragged = Machine(
    "threads and a core offline", nodes: [[Cluster(cores: 6, threads: 2, l3KiB: 16384)]]
  ).changed("threads and a core offline") { topology in
    for id in [2, 4, 10, 11] {
      topology.cpus[id] = TopologyCPU(id: id, isOnline: false)
    }
    let online = topology.onlineCPUs
    for index in topology.cpus.indices where topology.cpus[index].isOnline {
      topology.cpus[index].siblings = topology.cpus[index].siblings.intersection(online)
      topology.cpus[index].l3 = online
    }
    topology.nodes[0].cpus = online
  }

  static let unknownMemory = intelServer.changed("nothing known of memory") { topology in
    for index in topology.nodes.indices {
      topology.nodes[index].memoryKiB = 0
      topology.nodes[index].freeKiB = 0
      topology.nodes[index].pools = []
    }
  }

  static let setAside = desktop.changed("isolcpus=4-7") { $0.isolatedCPUs = [4, 5, 6, 7] }

  static let all =
    [
      desktop, intelServer, amdServer, stackedCache, hybrid, large, arm, power, halfFed, expanded,
      ragged, unknownMemory, setAside,
    ] + ((try? RecordedMachines.result.get()) ?? [])

  /// Few enough CPUs for a look at every assignment.
  static let small = [
    Machine("4 cores", nodes: [[Cluster(cores: 4, threads: 1, l3KiB: 8192)]]),
    Machine("4 cores with SMT", nodes: [[Cluster(cores: 4, threads: 2, l3KiB: 8192)]]),
    Machine(
      "2 nodes of 2 cores with SMT", numbering: .together,
      nodes: Array(repeating: [Cluster(cores: 2, threads: 2, l3KiB: 8192)], count: 2),
      gibibytes: 8),
    Machine(
      "2 nodes of 4 cores",
      nodes: Array(repeating: [Cluster(cores: 4, threads: 1, l3KiB: 8192)], count: 2), gibibytes: 8),
    Machine(
      "unequal caches",
      nodes: [
        [Cluster(cores: 2, threads: 2, l3KiB: 32768), Cluster(cores: 2, threads: 2, l3KiB: 8192)]
      ]),
    Machine(
      "three unequal caches",
      nodes: [
        [
          Cluster(cores: 2, threads: 1, l3KiB: 8192), Cluster(cores: 3, threads: 1, l3KiB: 16384),
          Cluster(cores: 3, threads: 1, l3KiB: 32768),
        ]
      ]),
    Machine(
      "2 performance and 4 efficiency cores", numbering: .together,
      nodes: [
        [
          Cluster(cores: 2, threads: 2, l3KiB: 8192, kind: .performance),
          Cluster(cores: 4, threads: 1, l3KiB: 8192, kind: .efficiency),
        ]
      ]),
    Machine("a core of 4 threads", nodes: [[Cluster(cores: 2, threads: 4)]], hasDies: false),
    Machine(
      "4 nodes of a core", numbering: .together,
      nodes: Array(repeating: [Cluster(cores: 1, threads: 2, l3KiB: 4096)], count: 4), gibibytes: 4),
  ]
}
