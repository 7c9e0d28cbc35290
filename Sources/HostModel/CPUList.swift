/// A set of CPU numbers, or of NUMA node numbers, in the kernel's order.
///
/// The kernel writes such a set as a *cpulist* (`0-3,8`) or as a hexadecimal mask
/// (`ff,ffffffff`); `description` is the first, in the kernel's normal form: ascending,
/// neighbours joined. Reading is strict: an empty text is the empty set, anything else that
/// the kernel would not print is refused.
package struct CPUList: Hashable, Sendable {
  /// Bit n of word n/64; never ends with a zero word, so that equal sets are equal values.
  private var words: [UInt64] = []

  /// One more than the greatest number that a list may hold.
  ///
  /// Twice the largest `NR_CPUS` that the kernel offers, so that a hostile list cannot ask for
  /// gigabytes.
  package static let capacity = 16384

  package init() {}

  package init(_ members: some Sequence<Int>) {
    for member in members { insert(member) }
  }

  package var isEmpty: Bool { words.isEmpty }

  package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  package var first: Int? { makeIterator().next() }

  package func contains(_ member: Int) -> Bool {
    let word = member / 64
    return member >= 0 && word < words.count && words[word] & (1 << UInt64(member % 64)) != 0
  }

  package mutating func insert(_ member: Int) {
    precondition((0..<Self.capacity).contains(member), "CPU number out of range")
    let word = member / 64
    if word >= words.count {
      words.append(contentsOf: repeatElement(0, count: word + 1 - words.count))
    }
    words[word] |= 1 << UInt64(member % 64)
  }

  package func union(_ other: CPUList) -> CPUList { combined(with: other) { $0 | $1 } }

  package func intersection(_ other: CPUList) -> CPUList { combined(with: other) { $0 & $1 } }

  package func subtracting(_ other: CPUList) -> CPUList { combined(with: other) { $0 & ~$1 } }

  package func isDisjoint(with other: CPUList) -> Bool { intersection(other).isEmpty }

  package func isSubset(of other: CPUList) -> Bool { subtracting(other).isEmpty }

  private func combined(with other: CPUList, _ join: (UInt64, UInt64) -> UInt64) -> CPUList {
    var result = CPUList()
    for index in 0..<Swift.max(words.count, other.words.count) {
      let mine = index < words.count ? words[index] : 0
      let theirs = index < other.words.count ? other.words[index] : 0
      result.words.append(join(mine, theirs))
    }
    while result.words.last == 0 { result.words.removeLast() }
    return result
  }
}

extension CPUList: Sequence {
  package func makeIterator() -> AnyIterator<Int> {
    var next = 0
    let limit = words.count * 64
    return AnyIterator {
      while next < limit, !contains(next) { next += 1 }
      defer { next += 1 }
      return next < limit ? next : nil
    }
  }
}

extension CPUList: ExpressibleByArrayLiteral {
  package init(arrayLiteral elements: Int...) {
    self.init(elements)
  }
}

extension CPUList: CustomStringConvertible {
  /// The kernel's normal form, `0-3,8`; empty for the empty set.
  package var description: String {
    var runs: [(first: Int, last: Int)] = []
    for member in self {
      if let run = runs.last, run.last + 1 == member {
        runs[runs.count - 1].last = member
      } else {
        runs.append((member, member))
      }
    }
    return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
      .joined(separator: ",")
  }
}
