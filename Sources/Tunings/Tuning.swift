package import HostModel

/// One thing that Berth does for a domain: what it has to know, and what it plans.
///
/// A tuning is pure: it looks at nothing but what it is handed.
package protocol Tuning: Sendable {
  /// The name of the tuning in policy, output and log.
  static var name: String { get }

  /// What `plan` has to know of the host.
  func needs(for request: Request) -> FactNeeds

  /// What the domain wants of the host in this phase; empty where it wants nothing.
  func plan(_ request: Request, on host: HostFacts) -> Plan

  /// Whether what is planned in a phase serves a guest that runs, and neither the start nor that all is given
  /// back.
  func servesGuest(in phase: Phase) -> Bool

  /// Whether what it says of policy and host is the same whatever the domain is.
  var goesByPolicyAlone: Bool { get }
}

extension Tuning {
  package var goesByPolicyAlone: Bool { false }

  /// What is done once QEMU is there serves its guest.
  package func servesGuest(in phase: Phase) -> Bool { isAfterStart(phase) }
}

/// What a plan is made from, besides the host.
package struct Request: Sendable {
  package var domain: Domain
  package var phase: Phase
  package var policy: Policy
  /// What earlier plans for the same run of the domain have come to.
  package var attained: [Attainment] = []
  /// What pools have turned out to grant the domain at most, for those that have granted less than they
  /// were asked for.
  package var obtainablePages: [HugepagePool: Int] = [:]
  /// Whether the guest is frozen and may never run, so that what serves it alone is left for later.
  package var guestWaits: Bool
  /// Whether the guest begins to run only now, after a start that it was left frozen by.
  package var guestBegins = false
  /// Whether it is asked what policy comes to on the host, for no domain in particular.
  package var isOfPolicyAlone = false
  /// The pins of policy itself, where `affinity` has been divided since.
  package var pinsBefore: Policy.Pins?
  /// How many vCPUs the configuration tells of, where others run.
  package var expectedVCPUs: Int?

  package init(domain: Domain, phase: Phase, policy: Policy) {
    self.domain = domain
    self.phase = phase
    self.policy = policy
    // Whether it runs on is known once QEMU is there.
    guestWaits = phase.mayRefuse && domain.proxmox?.isBeingBackedUp == true
  }

  /// The PCI functions that go to the domain, in their order and each once, whoever binds them.
  package var handedFunctions: [PCIAddress] {
    var handed: [PCIAddress] = []
    let passed = domain.functions.filter { $0.kind != .mdev }.map(\.address)
    for address in passed + policy.pci.functions where !handed.contains(address) {
      handed.append(address)
    }
    return handed
  }
}
