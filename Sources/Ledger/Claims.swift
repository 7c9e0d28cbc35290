package import HostModel

/// A claim with the VM that holds it.
package struct HeldClaim: Hashable, Sendable {
  package var holder: HolderID
  package var claim: Claim
  /// Why, as `Entry.reason(for:)` tells it in full.
  package var reason: String
  /// Whether the entry's subject stands before the reason.
  package var beginsWithSubject: Bool

  package init(
    holder: HolderID, claim: Claim, reason: String, beginsWithSubject: Bool = false
  ) {
    self.holder = holder
    self.claim = claim
    self.reason = reason
    self.beginsWithSubject = beginsWithSubject
  }
}

/// The claims on one setting, in the order in which they came, with what they demand together.
///
/// Settings that the same VMs claim in the same way, such as the interrupts of the host, share one
/// list, in memory as in the file.
package struct Claims: Hashable, Sendable {
  private final class List: Sendable {
    let held: [HeldClaim]
    let demand: Result<Demand, ResolveError>
    let origin: ClaimOrigin?

    init(_ held: [HeldClaim], _ origin: ClaimOrigin? = nil) {
      self.held = held
      self.origin = origin
      demand = Demand.sum(of: held.lazy.map(\.claim))
    }
  }

  private var list: List
  private static let none = List([])

  package init() { list = Self.none }

  package init(_ held: [HeldClaim]) { list = held.isEmpty ? Self.none : List(held) }

  /// The claims with some numbers in a text.
  init(_ origin: ClaimOrigin) {
    list = List(origin.numbers.map { origin.text.claims[$0] }, origin)
  }

  /// The text that the claims were read from.
  var origin: ClaimOrigin? { list.origin }

  /// What the claims demand of the setting, whatever its original is.
  func demand() throws(ResolveError) -> Demand { try list.demand.get() }

  /// What is the same for two lists only if they hold the same claims, for as long as both exist.
  var identity: ObjectIdentifier { ObjectIdentifier(list) }

  package func contains(_ holder: HolderID) -> Bool {
    list.held.contains { $0.holder == holder }
  }

  /// The list without the claims of one VM.
  func without(_ holder: HolderID) -> Claims {
    contains(holder) ? Claims(list.held.filter { $0.holder != holder }) : self
  }

  package mutating func removeAll(of holder: HolderID) { self = without(holder) }

  package static func == (first: Claims, second: Claims) -> Bool {
    first.list === second.list || first.list.held == second.list.held
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(list.held) }
}

/// Where claims were read, so that they are written again without being spelled and looked up.
struct ClaimOrigin: Sendable {
  var text: ClaimTexts
  var numbers: [Int]
}

/// The claims in a ledger's text, by their numbers.
final class ClaimTexts: Sendable {
  let claims: [HeldClaim]
  /// What stands in the line of each behind its holder.
  let words: [ArraySlice<UInt8>]

  init(_ claims: [HeldClaim], _ words: [ArraySlice<UInt8>]) {
    self.claims = claims
    self.words = words
  }
}

extension Claims: RandomAccessCollection, ExpressibleByArrayLiteral {
  package var startIndex: Int { 0 }
  package var endIndex: Int { list.held.count }
  package subscript(index: Int) -> HeldClaim { list.held[index] }

  package init(arrayLiteral elements: HeldClaim...) { self.init(elements) }
}

/// Changes lists of claims, so that settings whose lists were one have one list afterwards, too.
///
/// Neighbours in the ledger mostly share their list: only the last one is remembered.
struct ClaimChange {
  private var last: (before: Claims, after: Claims)?

  mutating func apply(to claims: inout Claims, _ change: (Claims) -> Claims) {
    if let last, last.before.identity == claims.identity {
      claims = last.after
    } else {
      let after = change(claims)
      last = (claims, after)
      claims = after
    }
  }
}

/// A question about lists of claims, asked once of neighbours that share theirs.
struct ClaimQuestion {
  private var last: (claims: Claims, answer: Bool)?

  mutating func answer(for claims: Claims, _ ask: (Claims) -> Bool) -> Bool {
    if let last, last.claims.identity == claims.identity { return last.answer }
    let answer = ask(claims)
    last = (claims, answer)
    return answer
  }
}
