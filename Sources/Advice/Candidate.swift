package import HostModel

/// One way to place a domain on a host.
package struct Candidate: Hashable, Sendable {
  package var goal: Goal
  /// The CPU of each vCPU, by the vCPU's number.
  package var vcpus: [Int]
  /// Where all other threads of QEMU run, the iothreads among them.
  package var emulator: CPUList
  /// Whether the host's own work is there, too.
  package var sharesEmulator: Bool
  /// Ascending by their numbers.
  package var iothreads: [PinnedIOThread]
  /// The guest's NUMA nodes; a guest with one need not know of it.
  package var cells: [Cell]
  /// nil for ordinary pages.
  package var pageKiB: Int?
  package var shape: GuestShape
  /// The CPUs of the cores that the domain has, in the order of its vCPUs.
  package var cores: [CPUList]
  /// The threads of its cores that no vCPU is on and that its policy keeps idle.
  package var idle: CPUList
  /// The caches that its cores are in, ascending.
  package var caches: [Premises.Cache]
  package var kind: CoreKind?
  /// The CPUs that are left to the host and to domains without pins.
  package var housekeeping: CPUList
  /// What speaks for it.
  package var merits: [String]
  /// What speaks against it, the dearest first.
  package var costs: [Cost]
  /// Whether the domain's vCPUs are there already.
  package var isPresent: Bool

  /// 0 for a place without a flaw; the lower the better.
  package var score: Int { costs.reduce(0) { $0 + $1.points } }

  /// Whether vCPUs share cores and the guest does not know which.
  package var hidesSiblings: Bool { shape.threads == 1 && cores.count < vcpus.count }

  /// The host's nodes that the domain has CPUs of, in the order of the cells.
  package var nodes: [Int] { cells.map(\.node) }

  /// One NUMA node of the guest, on one of the host.
  package struct Cell: Hashable, Sendable {
    /// The numbers of its vCPUs.
    package var vcpus: CPUList
    package var node: Int
    /// Where its memory comes from: another node than that of its CPUs where that one has none.
    package var memoryNode: Int
    package var memoryKiB: Int
  }
}

/// An iothread and its CPUs.
package struct PinnedIOThread: Hashable, Sendable {
  package var id: Int
  package var cpus: CPUList
}

/// Something that speaks against a candidate, and how much.
package struct Cost: Hashable, Sendable {
  package var points: Int
  package var reason: String

  /// Most flaws are not there at all, and their sentences are never made.
  init(points: Int, reason: @autoclosure () -> String) {
    self.points = points
    self.reason = points > 0 ? reason() : ""
  }
}

/// How the guest sees its vCPUs.
package struct GuestShape: Hashable, Sendable {
  package var sockets: Int
  package var dies: Int
  package var cores: Int
  package var threads: Int
}
