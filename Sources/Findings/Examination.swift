package import HostModel

/// What is known of a host that is looked over.
package struct ExaminedHost: Sendable {
  package var topology: Topology
  package var installation: InstallationFacts
  package var balancers: [BalancerFacts] = []
  /// Every domain that the host knows, whether it runs or not.
  package var domains: [ExaminedDomain] = []
  /// What is wrong in the policy file.
  package var policyErrors: [Remark] = []
  /// The sections of the policy file that are for no VM of the host.
  package var strayPolicySections: [Remark] = []

  package init(topology: Topology, installation: InstallationFacts) {
    self.topology = topology
    self.installation = installation
  }
}

/// What is known of a domain that is looked over.
package struct ExaminedDomain: Sendable {
  package var domain: Domain
  /// The file that it was read from.
  package var file: String
  package var machine: GuestMachine
  /// What its reader had to say of the file.
  package var remarks: [Remark] = []
  package var policy: Policy
  /// What policy does not do for it, and why.
  package var policyWarnings: [String] = []
  /// Whether its policy can be read; where it cannot, what is here is that of a host without a file.
  package var hasKnownPolicy = true
  /// The plans of its start, made as the hook would make them.
  package var plans: [Plan] = []
  /// The functions that it is handed, as they are now.
  package var functions: [FunctionFacts] = []
  package var isRunning = false
  /// Whether its hypervisor starts it with the host.
  package var startsWithHost = false
  /// Whether Berth has it in its ledger.
  package var isIn = false
  /// Where its ways to goals have ended, of one that is in.
  package var attained: [Attainment] = []
  /// The functions that it was handed, has no more, and the host does not have back.
  package var departures: [FunctionDeparture] = []
  /// Whether Berth would hold anything for it.
  package var isTuned = false
  /// The CPUs of each vCPU, by its number, from its configuration and from policy.
  package var pins: [Int: CPUList] = [:]
  /// That the CPUs of its `affinity` are only where it may be, as a sentence; nil where they are its own.
  package var fence: String?
  /// The snippet that Proxmox calls for it, as its configuration names it.
  package var hookscript: String?
  /// Why that snippet cannot be run, as the end of “it …”; nil where it can, or is not known.
  package var hookscriptObjection: String?

  package init(_ domain: Domain, file: String, machine: GuestMachine, policy: Policy) {
    self.domain = domain
    self.file = file
    self.machine = machine
    self.policy = policy
  }
}

/// What is wrong in a configuration without keeping it from being read.
package struct Remark: Hashable, Sendable {
  /// The file with the line.
  package var place: String
  package var value: String?
  package var sentence: String

  package init(place: String, value: String?, sentence: String) {
    self.place = place
    self.value = value
    self.sentence = sentence
  }
}

extension ExaminedDomain {
  /// All CPUs that its vCPUs are pinned to.
  package var vcpuCPUs: CPUList { pins.values.reduce(CPUList()) { $0.union($1) } }

  /// The one CPU of each vCPU that is on, in their order; nil where not every one has one of its own.
  var oneCPUEach: [Int]? {
    var cpus: [Int] = []
    for vcpu in domain.onlineVCPUs {
      guard let pin = pins[vcpu], pin.count == 1, let cpu = pin.first, !cpus.contains(cpu) else {
        return nil
      }
      cpus.append(cpu)
    }
    return cpus.isEmpty ? nil : cpus
  }

  /// Whether other tasks are to be kept off its vCPUs' CPUs.
  var isIsolated: Bool { policy.isolation != .none && oneCPUEach != nil && policy.isEnabled }

  /// The host nodes that its memory is to come from; empty where nothing is said.
  var memoryNodes: CPUList {
    domain.cells.reduce(CPUList()) { $0.union($1.hostNodes ?? []) }
  }

  /// The page sizes in KiB of the huge pages that it asks for; 0 is the host's default size.
  var hugepageSizes: [Int] {
    var sizes: [Int] = []
    for size in domain.cells.compactMap(\.pageKiB) + domain.memoryDevices.compactMap(\.pageKiB)
    where !sizes.contains(size) { sizes.append(size) }
    return sizes
  }

  /// The functions that it takes from the host, without those that mediated devices are made on.
  var passedFunctions: [FunctionFacts] {
    let mediated = domain.functions.filter { $0.kind == .mdev }.map(\.address)
    return functions.filter { !mediated.contains($0.address) }
  }

  /// Its pins as they stand in the configuration, for evidence.
  var pinEvidence: Evidence {
    let pins = pins.sorted { $0.key < $1.key }.map { "vCPU \($0.key) on \($0.value)" }
    return Evidence(file, pins.joined(separator: ", "))
  }
}

extension Topology {
  /// The nodes that some CPUs are of.
  func nodes(of cpus: CPUList) -> CPUList {
    CPUList(nodes.filter { !$0.cpus.isDisjoint(with: cpus) }.map(\.id))
  }

  /// The CPUs of some nodes.
  func cpus(of nodes: CPUList) -> CPUList {
    self.nodes.filter { nodes.contains($0.id) }.reduce(CPUList()) { $0.union($1.cpus) }
  }

  func cpu(_ id: Int) -> TopologyCPU? { cpus.first { $0.id == id } }
}
