import HostModel

/// What happens to a host, and when.
struct MeanHistory: Hashable {
  var seed: UInt64
  var moments: [Moment]

  struct Moment: Hashable {
    /// Milliseconds from the beginning.
    var at: Int
    var act: Act
  }

  /// The history of a seed.
  init(seed: UInt64) {
    self.seed = seed
    var random = Seeded(seed)
    var crowd = Array(0..<Guest.count)
    for _ in 0..<random.pick(4) { crowd.remove(at: random.pick(crowd.count)) }
    var at = 0
    moments = (0..<3 + random.pick(7)).map { _ in
      at += random.pick(from: [0, 0, 3, 40, 300, 2_000, 20_000])
      return Moment(at: at, act: Act(random: &random, among: crowd))
    }
  }

  /// A history with the random numbers of a seed.
  init(seed: UInt64, _ moments: [Moment]) {
    self.seed = seed
    self.moments = moments
  }

  /// The shortest history that fails in the same way, of those that lack some moments or mishaps of
  /// this one.
  func shrunk(while fails: (MeanHistory) -> Bool) -> MeanHistory {
    var best = self
    var helps = true
    while helps {
      helps = false
      for index in best.moments.indices.reversed() {
        var shorter = best
        shorter.moments.remove(at: index)
        if fails(shorter) {
          best = shorter
          helps = true
          continue
        }
        for calmer in best.moments[index].act.calmer {
          var other = best
          other.moments[index].act = calmer
          if fails(other) {
            best = other
            helps = true
            break
          }
        }
      }
    }
    return best
  }
}

extension MeanHistory: CustomStringConvertible {
  var description: String {
    moments.map { "at \($0.at) ms: \($0.act)" }.joined(separator: "\n")
  }
}

extension Act {
  fileprivate init(random: inout Seeded, among crowd: [Int]) {
    switch random.pick(100) {
    case ..<62: self = .live(Life(random: &random, among: crowd))
    case ..<68: self = .reconcile
    case ..<74: self = .change(random.pick(4), value: "")
    case ..<77: self = .putBack(random.pick(4))
    case ..<79: self = .daemon(times: 1 + random.pick(6))
    case ..<83:
      self = .stranger(
        pages: 1 + random.pick(40), milliseconds: random.pick(from: [50, 3_000, 60_000]))
    case ..<87:
      self = .proxmox(
        pages: 8 + random.pick(40), milliseconds: random.pick(from: [50, 3_000, 60_000]))
    case ..<91:
      self = .hang(random.pick(3), milliseconds: random.pick(from: [2_000, 40_000, 200_000]))
    case ..<95: self = .mute(milliseconds: random.pick(from: [300, 4_000, 40_000]))
    case ..<97: self = .kill(random.pick(8))
    case ..<99:
      self = .offline(
        cpu: random.pick(from: [5, 5, 6, 7]), milliseconds: random.pick(from: [30, 2_000, 40_000]))
    default: self = .sleep
    }
    if case .change(let place, _) = self {
      let values = [["2", "3"], ["31", "32"], ["31", "32"], ["0-1", "2-3"]]
      self = .change(place, value: values[place][random.pick(2)])
    }
  }

  /// The same with one mishap less.
  fileprivate var calmer: [Act] {
    guard case .live(let life) = self else { return [] }
    var choices: [Act] = []
    func add(_ change: (inout Life) -> Void) {
      var calmer = life
      change(&calmer)
      if calmer != life { choices.append(.live(calmer)) }
    }
    for phase in Phase.allCases { add { $0.deaths[phase] = nil } }
    add { $0.beginsTwice = false }
    add { $0.fails = false }
    add { $0.isSilent = false }
    add { $0.isUnrecognised = false }
    add { $0.reconnects = false }
    return choices
  }
}

extension Life {
  fileprivate init(random: inout Seeded, among crowd: [Int]) {
    self.init(
      guest: random.pick(from: crowd),
      runs: random.pick(from: [20, 500, 500, 5_000, 40_000, 40_000, 900_000]))
    for phase in [Phase.prepare, .start, .started, .release] where random.pick(12) == 0 {
      deaths[phase] = 1 + random.pick(phase == .start ? 80 : 600)
    }
    beginsTwice = random.pick(25) == 0
    fails = random.pick(10) == 0
    isSilent = random.pick(8) == 0
    isUnrecognised = random.pick(15) == 0
    // Of a QEMU that is not recognised only its hooks tell.
    if isUnrecognised { deaths = [:] }
    reconnects = random.pick(10) == 0
  }
}
