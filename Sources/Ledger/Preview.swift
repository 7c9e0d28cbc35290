package import HostModel

/// What one change of a plan would do, found out without doing it.
package struct PreviewedChange: Hashable, Sendable {
  package var change: Change
  /// What stands there now; nil where the place does not exist yet.
  package var from: Value?
  /// What would stand there; nil where the place does not exist yet.
  package var to: Value?
  /// Why the change would not be made.
  package var objection: String?
}

extension Ledger {
  /// What a plan would do on a host, beside the claims that others hold.
  package func preview(
    _ plan: Plan, for holder: HolderID, on host: any SettingReader
  ) -> [PreviewedChange] {
    plan.changes.map { preview($0, for: holder, on: host) }
  }

  private func preview(
    _ change: Change, for holder: HolderID, on host: any SettingReader
  ) -> PreviewedChange {
    var preview = PreviewedChange(change: change)
    do {
      guard let value = try host.read(change.setting) else { return preview }
      preview.from = value
      var entry =
        index(of: change.setting).map { entries[$0] }
        ?? Entry(setting: change.setting, original: value)
      entry.claims.removeAll { $0.holder == holder }
      let others = entry.claims.map { name(of: $0.holder) }.joined(separator: ", ")
      entry.claims.append(
        HeldClaim(holder: holder, claim: change.claim, reason: change.reason))
      do throws(ResolveError) {
        preview.to = try entry.standing(above: value)
      } catch {
        preview.objection =
          others.isEmpty ? "it would leave the host no CPU" : "it is held by \(others)"
      }
    } catch {
      preview.objection = "\(error)"
    }
    return preview
  }

  /// The tasks whose CPUs are kept for some domain, to be put back when it leaves.
  package var keptTasks: [HostThread] {
    entries.compactMap { entry in
      guard case .affinity(let task) = entry.setting, entry.isOnlyKept else { return nil }
      return task
    }
  }

  /// What a domain claims.
  package func settings(claimedBy holder: HolderID) -> [Setting] {
    entries.filter { entry in entry.claims.contains { $0.holder == holder } }.map(\.setting)
  }

  /// The services of domains that are in by which others were stopped.
  package var askedServices: [OwnService] {
    entries.compactMap { entry in
      guard case .ownService(let service) = entry.setting, service.manner == .asked,
        !entry.claims.isEmpty
      else { return nil }
      return service
    }
  }

  /// The tasks of the host that some domain has moved.
  package var movedTasks: Set<HostThread> {
    Set(
      entries.compactMap { entry in
        guard case .affinity(let task) = entry.setting, task.role == .foreign,
          entry.claims.contains(where: { !$0.claim.isPassive })
        else { return nil }
        return task
      })
  }

  /// The domains other than one that are in, as a plan for that one has to know them.
  package func neighbours(of holder: HolderID) -> [Neighbour] {
    holders.filter { $0.id != holder }.map { other in
      Neighbour(
        holder: other.id, name: other.name, vcpuCPUs: other.vcpuCPUs,
        pendingPages: other.process == nil ? pendingPages(of: other.id) : [])
    }
  }

  /// The pages that a domain on its way in counts on.
  ///
  /// What has been obtained is not booked by holder, so what is missing of a pool counts as missing
  /// of each of its claims.
  private func pendingPages(of holder: HolderID) -> [PendingPages] {
    entries.flatMap { entry -> [PendingPages] in
      guard case .hugepagePool(let pool) = entry.setting else { return [] }
      return entry.claims.compactMap { held in
        guard held.holder == holder, case .more(let count, let need) = held.claim else {
          return nil
        }
        return PendingPages(pool: pool, need: need, outstanding: min(count, entry.missingShare))
      }
    }
  }
}
