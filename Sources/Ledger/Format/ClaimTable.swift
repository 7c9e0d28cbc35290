internal import HostModel

/// Numbers the claims of a ledger while it is written, in the order in which entries name them
/// first: what a VM claims of all interrupts is spelled once.
struct ClaimTable {
  /// A claim of the table, with its words where they were read.
  struct Row {
    var held: HeldClaim
    var words: ArraySlice<UInt8>?

    var holder: HolderID { held.holder }
  }

  private(set) var claims: [Row] = []
  private var known: [HeldClaim: Int] = [:]
  /// The numbers that claims of the text that was read last have now.
  private var text: ClaimTexts?
  private var renumbered: [Int?] = []
  private var holders: [HolderID: Int] = [:]
  private var lastHolder: (id: HolderID, number: Int?)?
  private var lists = WordWriter()
  private var last: (claims: Claims, words: Range<Int>)?

  init(holders: [Holder]) {
    self.holders = Dictionary(holders.enumerated().map { ($1.id, $0) }) { first, _ in first }
  }

  mutating func number(of holder: HolderID) -> Int? {
    // The claims of a VM mostly follow each other.
    if let lastHolder, lastHolder.id == holder { return lastHolder.number }
    let number = holders[holder]
    lastHolder = (holder, number)
    return number
  }

  /// Where the words for a list of claims are; neighbours that share theirs have one place.
  mutating func list(of claims: Claims) -> Range<Int> {
    if let last, last.claims.identity == claims.identity { return last.words }
    let start = lists.bytes.count
    if let number = singleNumber(of: claims) {
      lists.number(number)
    } else {
      write(numbers(of: claims))
    }
    let words = start..<lists.bytes.count
    last = (claims, words)
    return words
  }

  func words(of list: Range<Int>) -> ArraySlice<UInt8> { lists.bytes[list] }

  /// Numbers in their order, those that follow each other as a range: `0-3,7,5`.
  private mutating func write(_ numbers: [Int]) {
    guard var first = numbers.first else { return lists.none() }
    lists.raw("")
    var last = first
    for number in numbers.dropFirst() {
      if number != last + 1 {
        lists.run(first...last)
        lists.byte(UInt8(ascii: ","))
        first = number
      }
      last = number
    }
    lists.run(first...last)
  }

  private mutating func numbers(of claims: Claims) -> [Int] {
    guard let origin = origin(of: claims) else { return claims.map { number(of: $0) } }
    return origin.numbers.map { number(in: origin.text, $0) }
  }

  /// The same for one claim that was read, as most entries have.
  private mutating func singleNumber(of claims: Claims) -> Int? {
    guard claims.count == 1, let origin = origin(of: claims) else { return nil }
    return number(in: origin.text, origin.numbers[0])
  }

  /// Where claims were read, if that is the text of which numbers are known.
  private mutating func origin(of claims: Claims) -> ClaimOrigin? {
    guard let origin = claims.origin else { return nil }
    if text == nil {
      text = origin.text
      renumbered = [Int?](repeating: nil, count: origin.text.claims.count)
    }
    return origin.text === text ? origin : nil
  }

  private mutating func number(in text: ClaimTexts, _ old: Int) -> Int {
    if let number = renumbered[old] { return number }
    let number = claims.count
    claims.append(Row(held: text.claims[old], words: text.words[old]))
    renumbered[old] = number
    return number
  }

  private mutating func number(of claim: HeldClaim) -> Int {
    if let number = known[claim] { return number }
    let number = claims.count
    claims.append(Row(held: claim))
    known[claim] = number
    return number
  }
}
