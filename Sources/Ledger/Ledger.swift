package import HostModel

/// Who is in, what they claim, and what the host was before: all that Berth remembers.
///
/// The host is a pure function of it: for each setting, what is to stand there follows from the
/// entry alone (`Entry.resolved()`).
package struct Ledger: Hashable, Sendable {
  /// In the order in which the domains came.
  package var holders: [Holder] = []
  /// In the order of each setting's first claim; giving back runs through it from its end.
  package var entries: [Entry] = []

  package init() {}

  package func holder(_ id: HolderID) -> Holder? {
    holders.first { $0.id == id }
  }

  package mutating func put(_ holder: Holder) {
    if let index = holders.firstIndex(where: { $0.id == holder.id }) {
      holders[index] = holder
    } else {
      holders.append(holder)
    }
  }

  package func index(of setting: Setting) -> Int? {
    entries.firstIndex { $0.setting == setting }
  }

  /// Takes every claim of a domain, and the domain itself, out of the ledger.
  ///
  /// The entries stay until the host reads as their originals again.
  package mutating func drop(_ holder: HolderID) {
    holders.removeAll { $0.id == holder }
    for index in entries.indices { entries[index].claims.removeAll { $0.holder == holder } }
  }

  /// The name of a domain that is in, or its identity where it has left.
  package func name(of holder: HolderID) -> String {
    self.holder(holder)?.name ?? holder.description
  }
}

/// One setting that a domain has claimed and that is not given back yet.
package struct Entry: Hashable, Sendable {
  package var setting: Setting
  /// What stood there before Berth's first write; recorded once.
  package var original: Value
  /// What Berth's last finished write left there; nil before the first one.
  ///
  /// Of a shared setting, how much of it Berth has obtained.
  package var written: Value?
  /// A write that has begun and whose end is not recorded.
  package var intent: Intent?
  package var claims: [HeldClaim]
  /// Why the last attempt failed, as a sentence.
  package var verdict: String?
  /// What somebody else put there.
  package var foreign: Value?

  package init(
    setting: Setting, original: Value, written: Value? = nil, intent: Intent? = nil,
    claims: [HeldClaim] = [], verdict: String? = nil, foreign: Value? = nil
  ) {
    self.setting = setting
    self.original = original
    self.written = written
    self.intent = intent
    self.claims = claims
    self.verdict = verdict
    self.foreign = foreign
  }
}

/// A write that is about to be made, recorded before it so that a death in between is never
/// taken for somebody else's change.
package struct Intent: Hashable, Sendable {
  package var from: Value
  package var to: Value

  package init(from: Value, to: Value) {
    self.from = from
    self.to = to
  }
}

/// A claim with the domain that holds it.
package struct HeldClaim: Hashable, Sendable {
  package var holder: HolderID
  package var claim: Claim
  package var reason: String

  package init(holder: HolderID, claim: Claim, reason: String) {
    self.holder = holder
    self.claim = claim
    self.reason = reason
  }
}
