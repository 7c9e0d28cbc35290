internal import HostModel
internal import Ledger
internal import Lifecycle
internal import Tunings

extension Host {
  /// What one phase of a domain's life would do, made by the planner of the hook and carried out by
  /// nobody; anew is as the next start finds the host, once the domain has given back what it holds.
  func preview(
    _ request: Request, beside ledger: Ledger, anew: Bool
  ) throws -> (plan: Plan, changes: [PreviewedChange]) {
    let lifecycle = lifecycle()
    let id = request.domain.holder
    let deadline = deadline(milliseconds: Self.patience)
    let request = try lifecycle.settled(request, for: id, beside: ledger, until: deadline)
    let plan = try lifecycle.plan(request, for: id, beside: ledger, anew: anew, until: deadline)
    var present = ledger
    if anew { present.drop(id) }
    return (plan, lifecycle.preview(plan, for: id, beside: present, until: deadline))
  }

  /// Whether a domain runs or is prepared, and how many settings it holds.
  func standing(of domain: Domain, in ledger: Ledger) throws -> (PlanReport.State, Int) {
    guard let holder = ledger.holder(domain.holder) else { return (.off, 0) }
    let isRunning = lifecycle().isSeenRunning(holder)
    return (isRunning ? .running : .prepared, ledger.settings(claimedBy: holder.id).count)
  }

  /// The other domains of the host that cannot start while a plan stands, a sentence each: those whose hook
  /// does not call Berth are told by nobody else.
  func keptOut(by plan: Plan, of domain: Domain, policy: Policy) throws -> [String] {
    let cpus = plan.ladders.compactMap(\.rungs.first).reduce(CPUList()) {
      $0.union($1.exclusiveCPUs)
    }
    if cpus.isEmpty { return [] }
    return try DomainConfiguration.all(on: self).compactMap { configuration in
      guard let other = try? configuration.domain(), other.holder != domain.holder,
        let stuck = other.hardPins.first(where: { $0.cpus.isSubset(of: cpus) })
      else { return nil }
      let yield =
        policy.cpu.contested == .yield
        ? "unless its hook calls Berth, for which \(domain.name) gives that back"
        : "cpu.contested = \"yield\" for \(domain.name) has it give that back where the other's hook "
          + "calls Berth"
      return
        "\(other.name) cannot start while \(domain.name) is isolated, as \(stuck.thread) is pinned to CPU "
        + "\(stuck.cpus); \(yield)"
    }
  }

  /// What a domain gives back of what it holds now.
  func previewRelease(of domain: Domain, from ledger: Ledger) -> [PreviewedReturn] {
    lifecycle().previewRelease(
      of: domain.holder, from: ledger, until: deadline(milliseconds: Self.patience))
  }
}
