internal import HostModel

extension Engine {
  /// Records a plan's claims, or throws before anything is changed.
  ///
  /// A claim that cannot stand beside another domain's is left out with a warning, unless the
  /// domain cannot do without it.
  func admit(
    _ plan: Plan, for holder: Holder, into ledger: inout Ledger, _ outcome: inout Outcome
  ) throws {
    guard plan.refusals.isEmpty else { throw Rejection.refused(plan.refusals) }
    var refusals: [Refusal] = []
    if !plan.changes.isEmpty || !holder.vcpuCPUs.isEmpty || ledger.holder(holder.id) != nil {
      ledger.put(holder)
    }
    for change in plan.changes {
      do throws(Objection) {
        try ledger.admit(change, for: holder.id, reading: host)
      } catch {
        let sentence = error.sentence(about: change, in: ledger)
        if change.isRequired {
          refusals.append(Refusal(sentence))
        } else {
          outcome.warnings.append("\(holder.name) does without: \(sentence)")
        }
      }
    }
    guard refusals.isEmpty else { throw Rejection.refused(refusals) }
  }
}

extension Ledger {
  /// Records one claim, or throws and leaves all as it is.
  mutating func admit(
    _ change: Change, for holder: HolderID, reading host: any SettingReader
  ) throws(Objection) {
    let index: Int
    if let known = self.index(of: change.setting) {
      index = known
    } else {
      index = try addEntry(for: change.setting, reading: host)
    }
    var entry = entries[index]
    let claim = HeldClaim(holder: holder, claim: change.claim, reason: change.reason)
    entry.claims.removeAll { $0.holder == holder }
    let others = entry.claims
    entry.claims.append(claim)
    do throws(ResolveError) {
      _ = try entry.resolved()
    } catch {
      if entries[index].claims.isEmpty, entries[index].written == nil { entries.remove(at: index) }
      throw .contradiction(error, heldBy: others)
    }
    guard !entry.isTooLate(besides: others) else {
      throw .contradiction(.conflict, heldBy: others)
    }
    if case .lent(let value) = change.claim { entry.written = value }
    entries[index] = entry
  }

  /// A new entry with the setting's original; it exists before any write to the setting.
  private mutating func addEntry(
    for setting: Setting, reading host: any SettingReader
  ) throws(Objection) -> Int {
    let original: Value?
    do throws(HostError) {
      // Nothing stands in a collective: its members have the originals.
      if case .every = setting { original = .cpus([]) } else { original = try host.read(setting) }
    } catch {
      throw .unreadable(error)
    }
    guard let original else { throw .missing }
    entries.append(Entry(setting: setting, original: original.atRest))
    return entries.count - 1
  }
}

extension Entry {
  /// Whether what others hold would have to be changed, and cannot be for as long as they hold it.
  fileprivate func isTooLate(besides others: [HeldClaim]) -> Bool {
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
  func covers(_ step: Step, for holder: HolderID?) -> Bool {
    guard let setting = step.setting, let index = index(of: setting) else { return false }
    return entries[index].claims.contains { $0.holder == holder }
  }
}

/// Why a claim cannot be recorded.
enum Objection: Error {
  case missing
  case unreadable(HostError)
  case contradiction(ResolveError, heldBy: [HeldClaim])

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
