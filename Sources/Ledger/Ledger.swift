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
    var positions = [Setting: Int](minimumCapacity: entries.count)
    for index in entries.indices.reversed() { positions[entries[index].setting] = index }
    return positions
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
  /// cut short or left behind, or whose last attempt failed.
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
  /// What the entry says besides its claims.
  struct Fields: Hashable, Sendable {
    var setting: Setting
    var original: Value
    var written: Value?
    var intent: Intent?
    var verdict: String?
    var foreign: Value?
    var leftBehind: ProcessIdentity?
    var subject: String?
  }

  /// Fields that no longer change: a ledger of thousands of entries is copied and compared often.
  private final class Sheet: Sendable {
    let fields: Fields
    /// The words for the fields in the text that they were read from: nothing is spelled again that
    /// did not change.
    let record: ArraySlice<UInt8>?
    let hasIntent: Bool
    let isUnfinished: Bool

    init(_ fields: Fields, _ record: ArraySlice<UInt8>?) {
      self.fields = fields
      self.record = record
      hasIntent = fields.intent != nil
      isUnfinished = hasIntent || fields.verdict != nil || fields.leftBehind != nil
    }
  }

  private var sheet: Sheet
  package var claims: Claims

  package init(
    setting: Setting, original: Value, written: Value? = nil, intent: Intent? = nil,
    claims: Claims = [], verdict: String? = nil, foreign: Value? = nil,
    leftBehind: ProcessIdentity? = nil, subject: String? = nil
  ) {
    self.init(
      Fields(
        setting: setting, original: original, written: written, intent: intent, verdict: verdict,
        foreign: foreign, leftBehind: leftBehind, subject: subject),
      claims)
  }

  init(_ fields: Fields, _ claims: Claims, record: ArraySlice<UInt8>? = nil) {
    sheet = Sheet(fields, record)
    self.claims = claims
  }

  var record: ArraySlice<UInt8>? { sheet.record }

  /// Changes several fields; where they are the same afterwards, so is the entry.
  mutating func change(_ change: (inout Fields) -> Void) {
    var fields = sheet.fields
    change(&fields)
    if fields != sheet.fields { sheet = Sheet(fields, nil) }
  }

  package var setting: Setting { sheet.fields.setting }

  /// What stood there before Berth's first write; recorded once.
  package var original: Value {
    get { sheet.fields.original }
    set { change { $0.original = newValue } }
  }

  /// What Berth's last finished write left there; nil before the first one.
  ///
  /// Of a shared setting, how much of it Berth has obtained.
  package var written: Value? {
    get { sheet.fields.written }
    set { change { $0.written = newValue } }
  }

  /// A write that has begun and whose end is not recorded.
  package var intent: Intent? {
    get { sheet.fields.intent }
    set { change { $0.intent = newValue } }
  }

  /// Why the last attempt failed, as a sentence.
  package var verdict: String? {
    get { sheet.fields.verdict }
    set { change { $0.verdict = newValue } }
  }

  /// What somebody else put there.
  package var foreign: Value? {
    get { sheet.fields.foreign }
    set { change { $0.foreign = newValue } }
  }

  /// A process that waits in the kernel for the end of a write or a read, given up at its deadline:
  /// for as long as it lives, nobody knows what will stand there.
  package var leftBehind: ProcessIdentity? {
    get { sheet.fields.leftBehind }
    set { change { $0.leftBehind = newValue } }
  }

  /// What the setting is to the host, such as the drivers that handle an interrupt; reasons may
  /// begin with it.
  package var subject: String? {
    get { sheet.fields.subject }
    set { change { $0.subject = newValue } }
  }

  /// Whether somebody has to see to the entry, whoever claims the setting.
  var isUnfinished: Bool { claims.isEmpty || sheet.isUnfinished }

  var hasIntent: Bool { sheet.hasIntent }

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
    first.claims == second.claims
      && (first.sheet === second.sheet || first.sheet.fields == second.sheet.fields)
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
