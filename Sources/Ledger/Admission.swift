internal import HostModel

extension Engine {
  /// Records a plan's claims, or throws before anything is changed.
  ///
  /// A claim that cannot stand beside another domain's is left out with a warning, unless the
  /// domain cannot do without it, or has another way to the same goal: then it is returned.
  func admit(
    _ plan: Plan, for holder: Holder, into ledger: inout Ledger, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws -> RefusedChanges {
    let climbed = plan.settingsOnLadders
    var refused = RefusedChanges()
    var refusals: [Refusal] = []
    let hasPart = !plan.changes.isEmpty || !holder.vcpuCPUs.isEmpty || holder.awaitsGuest
    if hasPart || ledger.holder(holder.id) != nil { ledger.put(holder) }
    var admission = Admission(to: ledger)
    for change in plan.changes {
      do throws(Objection) {
        try admission.admit(
          change, for: holder.id, into: &ledger, reading: host, until: deadline)
      } catch {
        let sentence = error.sentence(about: change, in: ledger)
        if climbed.contains(change.setting) {
          refused.add(change, error.isMissing, sentence)
        } else if change.isRequired {
          refusals.append(Refusal(sentence))
        } else {
          outcome.warnings.append("\(holder.name) does without: \(sentence)")
        }
      }
    }
    guard refusals.isEmpty else { throw Rejection.refused(refusals) }
    return refused
  }
}

/// Records claims one after the other.
struct Admission {
  private var positions: [Setting: Int]
  private var joining = ClaimChange()
  private var joined: HeldClaim?

  init(to ledger: Ledger) { positions = ledger.positions }

  /// Records one claim, or throws and leaves all as it is.
  mutating func admit(
    _ change: Change, for holder: HolderID, into ledger: inout Ledger,
    reading host: any SettingReader, until deadline: Deadline
  ) throws(Objection) {
    let known = positions[change.setting]
    var entry: Entry
    if let known {
      entry = ledger.entries[known]
    } else {
      entry = try Self.entry(for: change, reading: host, until: deadline)
    }
    // A ledger of an older version has no subjects.
    if entry.subject == nil { entry.subject = change.subject }
    let others = entry.claims.without(holder)
    join(entry.claim(by: holder, of: change), to: &entry.claims)
    do throws(ResolveError) {
      _ = try entry.resolved()
    } catch {
      throw .contradiction(error, heldBy: Array(others))
    }
    guard !entry.isTooLate(besides: others) else {
      throw .contradiction(.conflict, heldBy: Array(others))
    }
    if case .lent(let value) = change.claim { entry.written = value }
    if let known {
      ledger.entries[known] = entry
    } else {
      positions[change.setting] = ledger.entries.count
      ledger.entries.append(entry)
    }
  }

  /// Puts a claim behind others, in the place of an earlier one of the same VM.
  private mutating func join(_ claim: HeldClaim, to claims: inout Claims) {
    if claims.last == claim { return }
    if joined != claim { joining = ClaimChange() }
    joined = claim
    joining.apply(to: &claims) { Claims($0.without(claim.holder) + [claim]) }
  }

  /// A new entry with the setting's original; it exists before any write to the setting.
  private static func entry(
    for change: Change, reading host: any SettingReader, until deadline: Deadline
  ) throws(Objection) -> Entry {
    let original: Value?
    do throws(HostError) {
      // Nothing stands in a collective: its members have the originals.
      if case .every = change.setting {
        original = .cpus([])
      } else {
        original = try host.original(of: change.setting, until: deadline)
      }
    } catch {
      throw .unreadable(error)
    }
    guard let original else { throw .missing }
    return Entry(setting: change.setting, original: original.atRest, subject: change.subject)
  }
}

extension Entry {
  /// A change as a claim on the setting; its reason without the subject, where that is the entry's.
  fileprivate func claim(by holder: HolderID, of change: Change) -> HeldClaim {
    guard let subject, subject == change.subject else {
      return HeldClaim(holder: holder, claim: change.claim, reason: change.reason)
    }
    return HeldClaim(
      holder: holder, claim: change.claim,
      reason: String(decoding: change.reason.utf8.dropFirst(subject.utf8.count + 1), as: UTF8.self),
      beginsWithSubject: true)
  }
}

extension Entry {
  /// Whether what others hold would have to be changed, and cannot be for as long as they hold it.
  fileprivate func isTooLate(besides others: Claims) -> Bool {
    guard isFixed, !others.isEmpty else { return false }
    var before = self
    before.claims = others
    do throws(ResolveError) {
      let wanted = try resolved()
      return try !isEnough(before.resolved(), for: wanted)
        && !isEnough(written ?? original, for: wanted)
    } catch {
      return true
    }
  }
}

extension Ledger {
  /// Whether all that a step changes is on record, so that it can be put back.
  func records(_ step: Step, for holder: HolderID?) -> Bool {
    guard let setting = step.setting, let holder, let index = index(of: setting) else {
      return false
    }
    return entries[index].claims.contains(holder)
  }
}

/// Why a claim cannot be recorded.
enum Objection: Error {
  case missing
  case unreadable(HostError)
  case contradiction(ResolveError, heldBy: [HeldClaim])

  /// Whether there is no such place, or not yet.
  var isMissing: Bool { if case .missing = self { true } else { false } }

  func sentence(about change: Change, in ledger: Ledger) -> String {
    let setting = change.setting
    switch self {
    case .missing: return "\(setting) is not there"
    case .unreadable(let error): return "\(error)"
    case .contradiction(.noCPULeft, let holders):
      let names = holders.map { ledger.name(of: $0.holder) }.joined(separator: ", ")
      return "\(setting) \(change.claim) would leave the host no CPU"
        + (names.isEmpty ? "" : ", beside what \(names) took")
    case .contradiction(.unfit, _):
      return "\(setting) cannot be “\(change.claim)”: it does not hold a value of that kind"
    case .contradiction(.conflict, let holders):
      let names = holders.map { ledger.name(of: $0.holder) }.joined(separator: ", ")
      return "\(setting) is held by \(names), so it cannot be “\(change.claim)”"
    }
  }
}
