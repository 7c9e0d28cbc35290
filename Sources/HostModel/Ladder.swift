internal import Bytes

/// Several ways to one goal, the best first: the first that the host grants is taken, and what the
/// others took is given back.
///
/// The changes of the first rung stand among those of its plan as well, in their place.
package struct Ladder: Hashable, Sendable {
  /// What all rungs are for, as a word: `isolation`.
  package var goal: String
  package var rungs: [Rung] = []
  /// The better ways that the plan itself leaves out.
  package var misses: [Miss] = []
  /// What there is without any rung, as a phrase.
  package var ground: String

  package init(_ goal: String, ground: String) {
    self.goal = goal
    self.ground = ground
  }
}

/// One way to a goal: claims that go together.
package struct Rung: Hashable, Sendable {
  /// What the domain has by it, as a phrase: `vCPU partitions`.
  package var name: String
  package var changes: [Change]
  /// Whether it is of use where some of its changes do not stand, so that it is left only if none
  /// does.
  package var isPartial: Bool

  package init(_ name: String, _ changes: [Change], isPartial: Bool = false) {
    self.name = name
    self.changes = changes
    self.isPartial = isPartial
  }
}

extension Setting {
  /// Whether it is about the CPUs that a cgroup lets its tasks use, which is what isolation is made of.
  package var isOfCPUSets: Bool {
    switch self {
    case .allowedCPUs, .cpuset: true
    case .attribute(let path, _): path.begins(with: "/sys/fs/cgroup/")
    default: false
    }
  }
}

extension Rung {
  /// The CPUs that are nobody else's while the way stands: a task that asks for no others is refused.
  package var exclusiveCPUs: CPUList {
    changes.reduce(CPUList()) { cpus, change in
      guard case .attribute(let path, _) = change.setting, case .withCPUs(let own) = change.claim,
        path.ends(with: "/cpuset.cpus.exclusive")
      else { return cpus }
      return cpus.union(own)
    }
  }
}

/// What a domain does not get on the way to a goal.
package struct Miss: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name of a rung, or what a part of the goal would have been.
  package var name: String
  /// Why, as the end of “…, as”.
  package var reason: String

  package init(_ name: String, because reason: String) {
    self.name = name
    self.reason = reason
  }

  package var description: String { "no \(name), as \(reason)" }
}

/// Where a domain's way to a goal has ended.
package struct Attainment: Hashable, Sendable {
  package var goal: String
  /// The name of the rung that stands; nil where none does.
  package var rung: String?
  /// What was left on the way.
  package var misses: [Miss]

  package init(_ goal: String, rung: String?, misses: [Miss] = []) {
    self.goal = goal
    self.rung = rung
    self.misses = misses
  }
}

extension Attainment {
  /// The goal of all that is done for a guest that runs.
  package static let service = "guest tuning"

  /// That all which serves a guest alone is still to come, as it may never run.
  package static let awaitingGuest = Attainment(
    service, rung: nil,
    misses: [
      Miss(
        "pins or isolation yet",
        because: "Proxmox started it for a backup and its guest has not run")
    ])
}
