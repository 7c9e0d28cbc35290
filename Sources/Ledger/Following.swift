internal import Bytes
package import HostModel

/// Plans anew for a domain that runs: what it holds for a way that is no longer the best goes back first.
extension Ledger {
  /// Whether what a domain holds of what cgroups may use is what a plan has for it.
  ///
  /// A way that is of use in part may have more to claim by now, such as a group that has come since.
  package func isKept(
    by plan: Plan, of holder: HolderID, on host: any SettingReader, until deadline: Deadline
  ) throws -> Bool {
    let best = plan.ladders.compactMap(\.rungs.first)
    let wanted = claims(of: best)
    let held = try heldOfCPUSets(by: holder, on: host, until: deadline)
    let isAllWanted = held.allSatisfy { entry in
      guard let claim = wanted[entry.setting] else { return false }
      return entry.claims.contains { $0.holder == holder && $0.claim == claim }
    }
    if best.contains(where: \.isPartial) { return isAllWanted }
    // What a hypervisor has done to a group of the domain's own is no drift, but another wish.
    let isRedone = held.contains { entry in
      if case .cpuset = entry.setting { entry.foreign != nil } else { false }
    }
    return isAllWanted && !isRedone && wanted.count == held.count
  }

  /// The facts with what the domain's own groups are told by its hypervisor, where Berth has changed it for
  /// the domain, and without the partitions that are the domain's.
  package func withoutOwnPartitions(of holder: HolderID, _ facts: HostFacts) -> HostFacts {
    var seen = facts
    for entry in entries where entry.claims.contains(holder) {
      if case .cpuset = entry.setting, let standing = facts[entry.setting],
        standing == entry.written
      {
        seen[entry.setting] = entry.original
      }
      guard case .attribute = entry.setting else { continue }
      for held in entry.claims where held.holder == holder {
        if let cpus = held.claim.cpus(takenFromTasksBy: entry.setting) {
          seen.partitionedCPUs = seen.partitionedCPUs.subtracting(cpus)
          seen.addEffectiveCPUs(cpus)
        }
      }
    }
    return seen
  }

  /// The groups of single vCPUs that are partitions for a domain, as paths of the host.
  package func vcpuGroups(partitionedBy holder: HolderID) -> [String] {
    entries.compactMap { entry in
      guard case .attribute(let path, _) = entry.setting, entry.claims.contains(holder),
        let group = path.rest(before: "/cpuset.cpus.partition"),
        group.fields(at: "/").last?.begins(with: "vcpu") ?? false
      else { return nil }
      return String(group)
    }
  }

  private func claims(of rungs: [Rung]) -> [Setting: Claim] {
    var claims: [Setting: Claim] = [:]
    for change in rungs.flatMap(\.changes) where change.setting.isOfCPUSets {
      claims[change.setting] = change.claim
    }
    return claims
  }

  /// What a domain claims of what cgroups may use, as far as those are still there.
  private func heldOfCPUSets(
    by holder: HolderID, on host: any SettingReader, until deadline: Deadline
  ) throws(HostError) -> [Entry] {
    var held: [Entry] = []
    for entry in entries where entry.setting.isOfCPUSets && entry.claims.contains(holder) {
      if try host.read(entry.setting, until: deadline) != nil { held.append(entry) }
    }
    return held
  }
}

extension Engine {
  /// Gives back what a domain holds for its goals, where a plan has something else in its place.
  ///
  /// All of it, as groups have to leave CPUs before a partition has them, in the order in which a way
  /// claims them.
  func leaveOutdated(
    by plan: Plan, of holder: HolderID, in ledger: inout Ledger, until deadline: Deadline,
    _ outcome: inout Outcome
  ) throws {
    guard plan.replacesLadders,
      try !ledger.isKept(by: plan, of: holder, on: host, until: deadline)
    else { return }
    for index in ledger.entries.indices where ledger.entries[index].setting.isOfCPUSets {
      ledger.entries[index].claims.removeAll(of: holder)
    }
    _ = try settleQuick(&ledger, for: holder, until: deadline, &outcome)
  }
}

extension HostFacts {
  /// What groups get again of a partition that is not there.
  fileprivate mutating func addEffectiveCPUs(_ cpus: CPUList) {
    for index in attributes.indices
    where attributes[index].asked.ends(with: "/cpuset.cpus.effective") {
      guard let text = attributes[index].text, let known = try? CPUList(parsing: text) else {
        continue
      }
      attributes[index].text = "\(known.union(cpus))"
    }
  }
}
