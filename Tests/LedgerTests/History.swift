import HostModel

/// Something that happens to a host, in any order and any number of times.
enum Happening: Hashable {
  /// A hypervisor calls; the number is that of the domain in `Crowd.all`.
  case prepare(Int)
  case started(Int)
  case release(Int)
  /// QEMU begins and ends, whether somebody is told or not.
  case begin(Int)
  case end(Int)
  /// The guard looks for domains that are gone.
  case sweep
  /// The kernel refuses writes or reads.
  case refuse(Setting, Refusal)
  case hide(Setting, Refusal)
  /// The kernel has no more pages than that for the pool.
  case shortage(Int)
  /// The kernel makes 100 of every greater number.
  case clamp(Setting)
  /// All refusals are over.
  case relent
  /// Somebody else writes his own value; the number tells his values apart.
  case meddle(Setting, Int)
  /// He takes that back: what Berth left there stands there again.
  case repent(Setting)
  /// He puts back what stood there before Berth came, as a power daemon does.
  case putBack(Setting)
  /// CPUs 1 to 3 go offline one after the other, as before sleep, and come back.
  case hotplug
  /// Others take pages out of the pool or add some; nil resets the pool to none.
  case pages(Int?)
  /// A device, an interrupt or a thread goes and comes back as another one.
  case vanish(Setting)
  case comeBack(Setting)
  case boot
  /// The ledger's file is cut off at a byte, or has a bit flipped there.
  case cut(Int)
  case flip(Int, bit: Int)
}

/// One happening; `death` is the step at which the process that it starts dies.
struct Moment: Hashable {
  var happening: Happening
  var death: Int?
}

/// What happens to a host one after the other.
struct History: Hashable {
  var moments: [Moment]

  /// The history of a seed.
  init(seed: UInt64) {
    var random = Seeded(seed)
    moments = (0..<5 + random.pick(18)).map { _ in Moment(random: &random) }
  }

  init(_ moments: [Moment]) { self.moments = moments }

  /// The shortest history that still fails of those that lack some moments or deaths of this one.
  ///
  /// Leaves out one after the other for as long as that helps, which is not always the shortest
  /// of all, but short enough to be read.
  func shrunk(while fails: (History) -> Bool) -> History {
    var best = self
    var helps = true
    while helps {
      helps = false
      for index in best.moments.indices.reversed() {
        var shorter = best
        shorter.moments.remove(at: index)
        var calmer = best
        calmer.moments[index].death = nil
        if fails(shorter) {
          best = shorter
          helps = true
        } else if best.moments[index].death != nil, fails(calmer) {
          best = calmer
          helps = true
        }
      }
    }
    return best
  }
}

extension History: CustomStringConvertible {
  var description: String {
    moments.map { moment in
      "\(moment.happening)" + (moment.death.map { ", dead at step \($0)" } ?? "")
    }.joined(separator: "\n")
  }
}

extension Moment {
  fileprivate init(random: inout Seeded) {
    happening = Happening(random: &random)
    if happening.isCall, random.pick(5) == 0 { death = 1 + random.pick(70) }
  }
}

extension Happening {
  /// Whether a process of Berth runs because of it.
  fileprivate var isCall: Bool {
    switch self {
    case .prepare, .started, .release, .sweep: true
    default: false
    }
  }

  fileprivate init(random: inout Seeded) {
    let domain = random.pick(Crowd.all.count)
    let setting = random.pick(from: Crowd.shared)
    switch random.pick(100) {
    case ..<20: self = .prepare(domain)
    case ..<27: self = .begin(domain)
    case ..<37: self = .started(domain)
    case ..<43: self = .end(domain)
    case ..<56: self = .release(domain)
    case ..<62: self = .sweep
    case ..<70: self = .refuse(setting, Refusal(random: &random))
    case ..<73 where ![Sample.task, Crowd.sleep].contains(setting):
      self = .hide(setting, Refusal(random: &random))
    case ..<75: self = .shortage(8 + random.pick(8))
    case ..<76: self = .clamp(Sample.latency)
    case ..<79: self = .relent
    case ..<85: self = .meddle(setting, random.pick(3))
    case ..<87: self = .repent(setting)
    case ..<89: self = random.pick(2) == 0 ? .putBack(setting) : .hotplug
    case ..<92: self = .pages(random.pick(4) == 0 ? nil : random.pick(9) - 4)
    case ..<94: self = .vanish(setting)
    case ..<96: self = .comeBack(setting)
    case ..<97: self = .boot
    case ..<98: self = .cut(random.pick(4000))
    default: self = .flip(random.pick(4000), bit: random.pick(7))
    }
  }
}

extension Refusal {
  fileprivate init(random: inout Seeded) {
    self.init(
      errno: random.pick(from: [1, 5, 16, 19, 22]), times: random.pick(from: [1, 2, .max]),
      stages: random.pick(from: [0, 0, 1, 2, 3]))
  }
}
