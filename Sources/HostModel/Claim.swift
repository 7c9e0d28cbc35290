/// What one domain wants of a setting, relative to the setting's original.
///
/// Claims add up without knowing each other: what a setting is to hold follows from the original
/// and from the claims of all domains that are in.
package enum Claim: Hashable, Sendable {
  /// This value; another domain may want the same, but no other.
  case exactly(Value)
  /// This value, and no other domain may claim the setting at all.
  case alone(Value)
  /// The original less these CPUs; `all` is what an original without CPUs stands for, and where a
  /// list of CPUs goes that would have none left.
  case withoutCPUs(CPUList, all: CPUList)
  /// The original and these CPUs.
  case withCPUs(CPUList)
  /// That many huge pages more than others keep there. `need` is what the domain will take out of
  /// the pool in all, from pages that were free before, too.
  case more(Int, need: Int)
  /// Nothing while the domain is in; the original once it has left.
  ///
  /// For what the kernel changes by itself as a consequence of other claims, and does not put
  /// back: the CPUs of a task when those of its cpuset change.
  case keep
  /// Nothing while the domain is in, as its hypervisor or a step of its plan puts this value there
  /// and never takes it away; the original once the domain has left.
  case lent(Value)
  /// The original, or this if that is lower.
  case atLeast(Int)
  /// The original, or this if that is higher.
  case atMost(Int)
}

extension Claim: CustomStringConvertible {
  package var description: String {
    switch self {
    case .exactly(let value): "\(value)"
    case .alone(let value): "\(value), alone"
    case .withoutCPUs(let cpus, _): "without \(cpus)"
    case .withCPUs(let cpus): "with \(cpus)"
    case .more(let count, let need): "\(count) more, for \(need)"
    case .keep: "restored afterwards"
    case .lent(let value): "\(value) meanwhile, restored afterwards"
    case .atLeast(let count): "at least \(count)"
    case .atMost(let count): "at most \(count)"
    }
  }
}

extension Claim {
  /// Whether the claim leaves the setting alone for as long as the domain is in.
  package var isPassive: Bool {
    switch self {
    case .keep, .lent: true
    case .exactly, .alone, .withoutCPUs, .withCPUs, .more, .atLeast, .atMost: false
    }
  }
}
