import Advice
import HostModel
import Testing

/// The first candidate beside every assignment that there is, on machines of at most eight CPUs.
///
/// What an assignment is worth is decided by the same code; how assignments are found is not.
struct OptimalityTests {
  @Test(arguments: Machine.small)
  func noAssignmentIsBetterThanTheFirstCandidate(machine: Machine) {
    let situations = Situation.all(
      on: machine, vcpus: Array(1...7), mebibytes: [5120, 9216])
    var compared = 0
    for situation in situations {
      let premises = situation.premises
      let assessor = Assessor(situation.wish, on: premises)
      var best: (score: Int, cpus: [Int])?
      Assignments(
        of: situation.wish.vcpus, to: Array(machine.topology.onlineCPUs.dropFirst())
      ).forEach { cpus in
        guard let candidate = assessor.candidate(on: cpus) else { return }
        if candidate.score < best?.score ?? Int.max { best = (candidate.score, cpus) }
      }
      let first = Advice(for: situation.wish, on: premises).candidates.first
      #expect(
        first?.score == best?.score, "\(situation): \(first?.vcpus ?? []), \(best?.cpus ?? [])")
      if best != nil { compared += 1 }
    }
    #expect(compared > 10)
  }

  @Test func triesEveryAssignment() {
    var found: Set<[Int]> = []
    Assignments(of: 2, to: [1, 2, 3]).forEach { found.insert($0) }
    #expect(found == [[1, 2], [1, 3], [2, 1], [2, 3], [3, 1], [3, 2]])
    var count = 0
    Assignments(of: 5, to: Array(1...7)).forEach { _ in count += 1 }
    #expect(count == 21 * 6)
  }
}

/// Assignments of CPUs to vCPUs: every one of up to three vCPUs, and for more of them every set of
/// CPUs in a few orders.
///
/// Which vCPU is where matters only by which ones are side by side.
private struct Assignments {
  let count: Int
  let cpus: [Int]

  init(of count: Int, to cpus: [Int]) {
    self.count = count
    self.cpus = cpus
  }

  func forEach(_ body: ([Int]) -> Void) {
    let all = cpus.count
    guard count <= all else { return }
    for mask in 0..<(1 << all) where mask.nonzeroBitCount == count {
      let set = cpus.indices.filter { mask & (1 << $0) != 0 }.map { cpus[$0] }
      if count <= 3 {
        permute(set, [], body)
      } else {
        orders(of: set).forEach(body)
      }
    }
  }

  private func permute(_ rest: [Int], _ start: [Int], _ body: ([Int]) -> Void) {
    if rest.isEmpty { return body(start) }
    for (index, cpu) in rest.enumerated() {
      var others = rest
      others.remove(at: index)
      permute(others, start + [cpu], body)
    }
  }

  /// Ascending, by the remainders of 3 and 4, which are the cores of machines that number the
  /// threads of a core apart, and their reverses.
  private func orders(of set: [Int]) -> [[Int]] {
    let ascending = [1, 3, 4].map { step in
      set.sorted { ($0 % step, $0) < ($1 % step, $1) }
    }
    return ascending + ascending.map { $0.reversed() }
  }
}
