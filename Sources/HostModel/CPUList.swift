/// A set of CPU numbers, or of NUMA node numbers, in the kernel's order.
///
/// The kernel writes such a set as a *cpulist* (`0-3,8`) or as a hexadecimal mask
/// (`ff,ffffffff`); `description` is the first, in the kernel's normal form: ascending,
/// neighbours joined. Reading is strict: an empty text is the empty set, anything else that
/// the kernel would not print is refused.
package struct CPUList: Hashable, Sendable {
  /// Bit n of word n/64; never ends with a zero word, so that equal sets are equal values.
  package private(set) var words: [UInt64] = []

  /// One more than the greatest number that a list may hold.
  ///
  /// Twice the largest `NR_CPUS` that the kernel offers, so that a hostile list cannot ask for
  /// gigabytes.
  package static let capacity = 16384

  package init() {}

  package init(_ members: some Sequence<Int>) {
    for member in members { insert(member) }
  }

  /// The set of a mask: bit n of word n/64 is number n.
  package init(words: [UInt64]) {
    precondition(words.count <= Self.capacity / 64, "CPU number out of range")
    let end = words.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
    self.words = Array(words.prefix(end))
  }

  package var isEmpty: Bool { words.isEmpty }

  package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  package var first: Int? { first { _ in true } }

  package func contains(_ member: Int) -> Bool {
    let word = member / 64
    return member >= 0 && word < words.count && words[word] & (1 << UInt64(member % 64)) != 0
  }

  package mutating func insert(_ member: Int) {
    insert(member...member)
  }

  /// Adds all numbers of a range, a word at a time: a short text can name the greatest range often.
  package mutating func insert(_ range: ClosedRange<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound < Self.capacity, "CPU number out of range")
    let first = range.lowerBound / 64
    let last = range.upperBound / 64
    if last >= words.count {
      words.append(contentsOf: repeatElement(0, count: last + 1 - words.count))
    }
    for word in first...last {
      let low = word == first ? range.lowerBound % 64 : 0
      let high = word == last ? range.upperBound % 64 : 63
      words[word] |= (UInt64.max << UInt64(low)) & (UInt64.max >> UInt64(63 - high))
    }
  }

  /// Takes one number away; one that no list holds is in none.
  package mutating func remove(_ member: Int) {
    guard contains(member) else { return }
    words[member / 64] &= ~(1 << UInt64(member % 64))
    while words.last == 0 { words.removeLast() }
  }

  package func union(_ other: CPUList) -> CPUList { combined(with: other) { $0 | $1 } }

  package func intersection(_ other: CPUList) -> CPUList { combined(with: other) { $0 & $1 } }

  package func subtracting(_ other: CPUList) -> CPUList { combined(with: other) { $0 & ~$1 } }

  package func isDisjoint(with other: CPUList) -> Bool {
    zip(words, other.words).allSatisfy { $0 & $1 == 0 }
  }

  package func isSubset(of other: CPUList) -> Bool {
    // A list never ends with a zero word.
    words.count <= other.words.count && zip(words, other.words).allSatisfy { $0 & ~$1 == 0 }
  }

  private func combined(with other: CPUList, _ join: (UInt64, UInt64) -> UInt64) -> CPUList {
    var result = CPUList()
    result.words.reserveCapacity(Swift.max(words.count, other.words.count))
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
  /// The members in ascending order.
  package struct Iterator: IteratorProtocol {
    fileprivate let words: [UInt64]
    fileprivate var index = 0
    /// The members of the current word that are still to come.
    fileprivate var rest: UInt64

    package mutating func next() -> Int? {
      while rest == 0 {
        index += 1
        guard index < words.count else { return nil }
        rest = words[index]
      }
      let bit = rest.trailingZeroBitCount
      rest &= rest - 1
      return index * 64 + bit
    }
  }

  package func makeIterator() -> Iterator {
    Iterator(words: words, rest: words.first ?? 0)
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
