package import HostModel

/// Who is in, what they claim, and what the host was before: all that Berth remembers.
///
/// The host is a pure function of it: for each setting, what is to stand there follows from the
/// entry alone (`Entry.resolved()`).
package struct Ledger: Hashable, Sendable {
  /// In the order in which the VMs came.
  package var holders: [Holder] = []
  /// In the order of each setting's first claim; giving back runs through it from its end.
  package var entries: [Entry] = []

  package init() {}

  package var isEmpty: Bool { holders.isEmpty && entries.isEmpty }

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

  /// Where the entries are, for whoever looks for many of them.
  var positions: [Setting: Int] {
    Dictionary(entries.enumerated().map { ($1.setting, $0) }) { first, _ in first }
  }

  var unfinishedCount: Int {
    var count = 0
    for index in entries.indices where entries[index].isUnfinished { count += 1 }
    return count
  }

  /// Takes every claim of a VM, and the VM itself, out of the ledger.
  ///
  /// The entries stay until the host reads as their originals again.
  package mutating func drop(_ holder: HolderID) {
    holders.removeAll { $0.id == holder }
    var change = ClaimChange()
    for index in entries.indices {
      change.apply(to: &entries[index].claims) { $0.without(holder) }
    }
  }

  /// The name of a VM that is in, or its identity where it has left.
  package func name(of holder: HolderID) -> String {
    self.holder(holder)?.name ?? holder.description
  }
}

/// What the beginning of a ledger tells: enough for a VM that has no part in it.
package struct LedgerHead: Hashable, Sendable {
  package var holders: [Holder]
  package var entryCount: Int
  /// How many entries somebody has to see to: those that nobody claims any more, whose write was
  /// cut short, or whose last attempt failed.
  package var unfinishedCount: Int

  package init(of ledger: Ledger) {
    self.init(
      holders: ledger.holders, entryCount: ledger.entries.count,
      unfinishedCount: ledger.unfinishedCount)
  }

  init(holders: [Holder], entryCount: Int, unfinishedCount: Int) {
    self.holders = holders
    self.entryCount = entryCount
    self.unfinishedCount = unfinishedCount
  }

  package func holder(_ id: HolderID) -> Holder? {
    holders.first { $0.id == id }
  }
}

/// One setting that a VM has claimed and that is not given back yet.
package struct Entry: Sendable {
  package var setting: Setting { didSet { record = nil } }
  /// What stood there before Berth's first write; recorded once.
  package var original: Value { didSet { record = nil } }
  /// What Berth's last finished write left there; nil before the first one.
  ///
  /// Of a shared setting, how much of it Berth has obtained.
  package var written: Value? { didSet { record = nil } }
  /// A write that has begun and whose end is not recorded.
  package var intent: Intent? { didSet { record = nil } }
  /// Why the last attempt failed, as a sentence.
  package var verdict: String? { didSet { record = nil } }
  /// What somebody else put there.
  package var foreign: Value? { didSet { record = nil } }
  /// What the setting is to the host, such as the drivers that handle an interrupt; reasons may
  /// begin with it.
  package var subject: String? { didSet { record = nil } }
  package var claims: Claims
  /// The words for all but the claims in the text that the entry was read from, for as long as
  /// they hold: nothing is spelled again that did not change.
  var record: ArraySlice<UInt8>?

  package init(
    setting: Setting, original: Value, written: Value? = nil, intent: Intent? = nil,
    claims: Claims = [], verdict: String? = nil, foreign: Value? = nil, subject: String? = nil
  ) {
    self.setting = setting
    self.original = original
    self.written = written
    self.intent = intent
    self.claims = claims
    self.verdict = verdict
    self.foreign = foreign
    self.subject = subject
  }

  /// Whether somebody has to see to the entry, whoever claims the setting.
  var isUnfinished: Bool { claims.isEmpty || intent != nil || verdict != nil }

  /// Why the setting was claimed last; nil where nobody claims it.
  var lastReason: String? { claims.last.map(reason) }

  /// Why a VM claims the setting, as the end of “… because”.
  package func reason(for held: HeldClaim) -> String {
    guard held.beginsWithSubject, let subject else { return held.reason }
    return "\(subject) \(held.reason)"
  }
}

extension Entry: Hashable {
  package static func == (first: Entry, second: Entry) -> Bool {
    guard first.claims == second.claims else { return false }
    // What was read from one place, and has not been changed since, is the same.
    if let own = first.record, let other = second.record, isSame(own, other) { return true }
    return first.setting == second.setting && first.original == second.original
      && first.written == second.written && first.intent == second.intent
      && first.verdict == second.verdict && first.foreign == second.foreign
      && first.subject == second.subject
  }

  private static func isSame(_ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) -> Bool {
    first.withUnsafeBytes { first in
      second.withUnsafeBytes { $0.baseAddress == first.baseAddress && $0.count == first.count }
    }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(setting)
    hasher.combine(original)
    hasher.combine(written)
    hasher.combine(claims)
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
