package import HostModel

/// What a domain is to be good at.
package enum Goal: String, Hashable, Sendable, CaseIterable {
  /// vCPUs that answer at once: one cache, the best cores, nobody else near.
  case latency
  /// The most work from all CPUs of a node.
  case throughput
}

/// What a domain wants of a host.
package struct Wish: Hashable, Sendable {
  package var vcpus: Int
  package var memoryKiB: Int
  package var goal: Goal
  /// Ascending.
  package var iothreadIDs: [Int] = []
  /// The PCI functions that the VM has passed through, in the order in which they were named.
  package var functions: [TopologyFunction] = []
  /// The CPU that each vCPU is pinned to now; nil for a domain whose pins are not one CPU each.
  package var present: [Int]?

  package init(vcpus: Int, memoryKiB: Int, goal: Goal) {
    self.vcpus = vcpus
    self.memoryKiB = memoryKiB
    self.goal = goal
  }
}

/// Another domain on the host, by the CPUs that it keeps.
package struct Tenant: Hashable, Sendable {
  package var name: String
  /// The CPUs that its vCPUs are pinned to.
  package var vcpus: CPUList
  /// The CPUs that its emulator and its iothreads are pinned to.
  package var service: CPUList
  /// Whether some of its vCPUs may run wherever the host's own tasks may.
  package var floats: Bool

  package init(
    name: String, vcpus: CPUList = [], service: CPUList = [], floats: Bool = false
  ) {
    self.name = name
    self.vcpus = vcpus
    self.service = service
    self.floats = floats
  }
}
