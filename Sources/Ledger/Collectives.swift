internal import HostModel

extension Engine {
  /// Has each collective's claims stand on the members that it has now, and on no others.
  ///
  /// A member that has come since gets an entry with its own original; of one that is a member no
  /// more nothing is claimed, so that it is given back or found to be gone. What cannot be listed
  /// stays as it is.
  func collectMembers(
    _ ledger: inout Ledger, until deadline: Deadline, _ outcome: inout Outcome
  ) {
    let collectives = ledger.entries.filter { entry in
      if case .every = entry.setting { true } else { false }
    }
    if collectives.isEmpty { return }
    var positions = ledger.positions
    for entry in collectives {
      guard case .every(let collective) = entry.setting else { continue }
      do throws(HostError) {
        let members = entry.claims.isEmpty ? [] : try host.members(of: collective)
        ledger.endClaims(on: collective, except: members)
        for member in members {
          claim(
            member, with: entry.claims, in: &ledger, &positions, until: deadline, &outcome)
        }
      } catch {
        outcome.failures.append("\(entry.setting): \(error)")
      }
    }
    ledger.entries.removeAll { entry in
      if case .every = entry.setting { entry.claims.isEmpty } else { false }
    }
  }

  private func claim(
    _ member: Setting, with claims: Claims, in ledger: inout Ledger,
    _ positions: inout [Setting: Int], until deadline: Deadline, _ outcome: inout Outcome
  ) {
    if let index = positions[member] {
      ledger.entries[index].claims = claims
      return
    }
    do throws(HostError) {
      guard let original = try host.original(of: member, until: deadline) else { return }
      positions[member] = ledger.entries.count
      ledger.entries.append(Entry(setting: member, original: original, claims: claims))
    } catch {
      outcome.failures.append("\(member): \(error)")
    }
  }
}

extension Ledger {
  /// Ends the claims on what belonged to a collective and does no more.
  fileprivate mutating func endClaims(on collective: Collective, except members: [Setting]) {
    let members = Set(members)
    for index in entries.indices
    where entries[index].setting.collective == collective
      && !members.contains(entries[index].setting)
    {
      entries[index].claims = []
    }
  }

  /// Whether something is still to happen that nobody will call Berth for: a member that may come, a place
  /// that has not answered yet or had no time to listen, or a guest that is frozen may run.
  package var awaitsMore: Bool {
    holders.contains(where: \.awaitsGuest)
      || entries.contains { entry in
        if case .every(let collective) = entry.setting {
          return collective.needsPolling && !entry.claims.isEmpty
        }
        return entry.setting.hasStaleReads && (entry.intent != nil || entry.verdict != nil)
      }
  }
}
