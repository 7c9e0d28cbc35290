extension Policy {
  /// What all domains together may take of the host, whatever their configurations, their metadata and
  /// the rest of policy say.
  package struct Limits: Hashable, Sendable {
    /// What a domain's own metadata may decide.
    package enum Metadata: String, Hashable, Sendable, CaseIterable {
      /// Nothing.
      case none
      /// What the policy file says nothing of; of what it says, less.
      case narrow
      /// Its keys, whatever the policy file says.
      case any
    }

    /// The memory of each node that is never made huge pages; nil for as much as is sensible.
    package var hostMemoryKiB: Int?
    /// How many CPUs are left to the host's own tasks, at least 1.
    package var hostCPUCount = 1
    /// CPUs that are left to them in any case.
    package var hostCPUs: CPUList = []
    /// The CPUs that domains may claim; nil for all.
    package var cpus: CPUList?
    /// The nodes whose pages domains may claim; nil for all.
    package var nodes: CPUList?
    package var metadata = Metadata.narrow

    package init() {}
  }
}

extension Policy.Limits {
  /// Where no policy says so: what the kernel itself needs grows with the memory, up to a point.
  private static let sensibleShare = 32
  private static let sensibleKiB = 1 << 20

  /// How much of a node's memory, in KiB, stays with the host.
  package func memoryKept(ofNodeWith memoryKiB: Int) -> Int {
    hostMemoryKiB ?? min(Self.sensibleKiB, memoryKiB / Self.sensibleShare)
  }

  /// Those of some CPUs that no domain may claim.
  package func forbidden(among list: CPUList) -> CPUList {
    let others = cpus.map(list.subtracting) ?? []
    return others.union(list.intersection(hostCPUs))
  }

  /// The key that forbids some of these CPUs, as it stands in the file; nil where none does.
  package func sentence(forbidding list: CPUList) -> String? {
    if !list.isDisjoint(with: hostCPUs) { return "host-cpus = \"\(hostCPUs)\" under [limits]" }
    guard let cpus, !list.isSubset(of: cpus) else { return nil }
    return "cpus = \"\(cpus)\" under [limits]"
  }
}

extension Policy {
  /// Takes the pins out that name CPUs which no domain may claim; a sentence for each.
  package mutating func keepPinsWithinLimits() -> [String] {
    var sentences: [String] = []
    let limits = limits
    func isKept(_ cpus: CPUList, _ thread: String) -> Bool {
      guard let limit = limits.sentence(forbidding: cpus) else { return true }
      sentences.append(
        "\(thread) is not pinned to CPU \(limits.forbidden(among: cpus)), which no VM may claim: "
          + limit)
      return false
    }
    for id in pins.vcpus.keys.sorted() where !isKept(pins.vcpus[id] ?? [], "vCPU \(id)") {
      pins.vcpus[id] = nil
    }
    for id in pins.iothreads.keys.sorted()
    where !isKept(pins.iothreads[id] ?? [], "iothread \(id)") { pins.iothreads[id] = nil }
    if let cpus = pins.emulator, !isKept(cpus, "the emulator") { pins.emulator = nil }
    return sentences
  }
}
