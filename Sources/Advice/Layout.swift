/// How the vCPUs of one node are spread over cores.
enum Layout: Hashable, Sendable {
  /// So many on each core, which the guest is told of.
  case matched(threads: Int)
  /// On all threads of as few cores as possible.
  case dense
  /// On as many cores as possible, less so many.
  case wide(spare: Int)

  /// The layouts that are worth a try on cores that have at most so many threads.
  static func all(for vcpus: Int, threads: Int) -> [Layout] {
    var layouts: [Layout] = []
    var count = 1
    while count <= threads {
      if vcpus % count == 0 { layouts.insert(.matched(threads: count), at: 0) }
      count *= 2
    }
    if threads > 1 { layouts += [.dense, .wide(spare: 0), .wide(spare: 1)] }
    return layouts
  }

  /// How many vCPUs go by one: what is divided among nodes in whole.
  var unit: Int {
    if case .matched(let threads) = self { threads } else { 1 }
  }

  /// How many vCPUs cores with these threads have room for.
  func room(on threads: [Int]) -> Int {
    switch self {
    case .matched(let count): threads.count { $0 >= count } * count
    case .dense, .wide: threads.reduce(0, +)
    }
  }

  /// How many cores the vCPUs take, of those that have at most so many threads.
  func cores(for vcpus: Int, threads: Int, available: Int) -> Int {
    let fewest = (vcpus + threads - 1) / threads
    return switch self {
    case .matched(let count): vcpus / count
    case .dense: fewest
    case .wide(let spare): max(fewest, min(vcpus, available) - spare)
    }
  }
}
