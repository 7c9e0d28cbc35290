internal import HostModel

/// What is advised for a domain on a host.
package struct Advice: Sendable {
  /// The best first.
  package var candidates: [Candidate]
  /// Why there is none, one sentence each; empty where there are candidates.
  package var shortages: [String]
  /// What whoever follows the advice has to know of the host.
  package var notes: [String]

  /// The most candidates that are worth a look.
  package static let limit = 6

  /// Candidates that differ in more than the numbers of their CPUs come before those that do not.
  package init(for wish: Wish, on premises: Premises) {
    let assessor = Assessor(wish, on: premises)
    var all = Search(assessor: assessor).candidates()
    if let present = wish.present, let candidate = assessor.candidate(on: present) {
      all.append(candidate)
    }
    candidates = Self.distinct(all.sorted(by: Self.precedes))
    shortages = candidates.isEmpty ? Shortage(wish, on: premises).sentences : []
    notes = Self.notes(on: premises)
  }

  /// By score; of equals the one that is there already, and then by nodes and CPUs, so that the
  /// order is the same each time.
  private static func precedes(_ left: Candidate, _ right: Candidate) -> Bool {
    if left.score != right.score { return left.score < right.score }
    if left.isPresent != right.isPresent { return left.isPresent }
    if left.nodes != right.nodes { return left.nodes.lexicographicallyPrecedes(right.nodes) }
    return left.vcpus.lexicographicallyPrecedes(right.vcpus)
  }

  /// The first of each set of CPUs, not more than two of a kind, and not more than `limit`.
  ///
  /// What hides siblings from the guest is for want of something better, and is left out after that.
  private static func distinct(_ candidates: [Candidate]) -> [Candidate] {
    var chosen: [Candidate] = []
    var seen: Set<CPUList> = []
    var kinds: [Kind: Int] = [:]
    for candidate in candidates where seen.insert(CPUList(candidate.vcpus)).inserted {
      if candidate.hidesSiblings, !chosen.isEmpty, !candidate.isPresent { continue }
      kinds[Kind(candidate), default: 0] += 1
      guard kinds[Kind(candidate), default: 0] <= 2 || candidate.isPresent else { continue }
      chosen.append(candidate)
      if chosen.count == limit { break }
    }
    return chosen
  }

  private struct Kind: Hashable {
    var score: Int
    var shape: GuestShape
    var cores: Int

    init(_ candidate: Candidate) {
      score = candidate.score
      shape = candidate.shape
      cores = candidate.cores.count
    }
  }

  private static func notes(on premises: Premises) -> [String] {
    var notes: [String] = []
    let floating = premises.tenants.filter(\.floats).map { "“\($0.name)”" }
    if !floating.isEmpty {
      notes.append(
        "\(floating.joined(separator: ", ")) \(floating.count == 1 ? "has" : "have") vCPUs without "
          + "pins: they run wherever the host's tasks may, on these CPUs too where isolation does "
          + "not keep them off")
    }
    if !premises.knowsMemory {
      notes.append("nothing is known of the host's memory: whether it is enough was not looked at")
    }
    return notes
  }
}
