internal import Bytes
internal import Facts
internal import HostModel
internal import Ledger
internal import Port
internal import Tunings

/// Looks again at domains that run, as what they are to have follows from more than their start: somebody
/// has pinned or plugged a vCPU since, or another domain has come or gone.
extension Lifecycle {
  /// Plans anew for each domain that runs.
  ///
  /// What was found before to have failed, or to be changed by somebody, and has gone with an old way is of no
  /// account any more.
  func followAll(_ outcome: inout Outcome, until deadline: Deadline) throws {
    let before = try store.load()
    for holder in before.holders where holder.isIn && liveness.isSeenRunning(holder) {
      do {
        outcome.append(try follow(holder, until: deadline))
      } catch {
        outcome.warnings.append("cannot look again at what \(holder.name) asks for: \(error)")
      }
    }
    let now = try store.load()
    if now == before { return }
    for entry in before.entries where entry.setting.isOfCPUSets {
      let left = now.index(of: entry.setting).map { now.entries[$0] }
      if let verdict = entry.verdict, left?.verdict != verdict {
        outcome.failures.removeAll { $0 == verdict }
      }
      if entry.foreign != nil, left?.foreign == nil {
        outcome.drifts.removeAll { $0.begins(with: "\(entry.setting) reads ") }
      }
    }
  }

  /// Plans anew for a domain that runs, and has the host follow; nothing is changed where the plan is what
  /// the domain has.
  ///
  /// A way to isolation that was refused is tried again only where it is to be found anew anyhow. What the
  /// domain did without before is told again only where something has changed.
  func follow(_ holder: Holder, until deadline: Deadline) throws -> Outcome {
    guard var request = try requests(holder) else { return Outcome() }
    var outcome = Outcome()
    if holder.awaitsGuest {
      guard hasBegun(request.domain, until: deadline) else { return outcome }
      request.guestBegins = true
      outcome.warnings.append(
        "the guest of \(holder.name) runs now; its pins and isolation are applied")
    }
    var before: Ledger?
    var hasSteps = false
    for _ in 0..<Self.passes {
      let step: Outcome
      do {
        step = try engine.apply(
          for: holder, until: deadline, isGone: liveness.isGone,
          plan: { ledger, known in
            before = before ?? ledger
            let plan = try renewedPlan(request, &known, in: ledger, until: deadline)
            hasSteps = hasSteps || !plan.steps.isEmpty
            return plan
          })
      } catch is Departed {
        return outcome
      }
      outcome.append(step)
      if !step.isToBeContinued { break }
    }
    // What others have changed was told when all was settled.
    outcome.drifts = []
    let now = try store.load()
    guard let before, now != before || hasSteps else { return Outcome() }
    outcome.warnings += changes(for: holder.id, from: before, to: now)
    return outcome
  }

  /// Once for what there is, and once for what is there only then.
  private static let passes = 2

  /// The domain has left, or started anew, before the ledger was this process's, or its QEMU has ended: a plan
  /// made from what is left of that would take more of the host for nobody.
  private struct Departed: Error {}

  private func renewedPlan(
    _ request: Request, _ holder: inout Holder, in ledger: Ledger, until deadline: Deadline
  ) throws -> Plan {
    guard let known = ledger.holder(holder.id), known.process == holder.process else {
      throw Departed()
    }
    holder = known
    var request = try withPins(request, for: holder.id, beside: ledger, until: deadline)
    holder.attained.removeAll { $0.goal == Attainment.service }
    request.attained = holder.attained
    var renewed: Plan
    let isSeen: Bool
    (request, renewed, isSeen) = try placedPlan(
      request, for: holder.id, beside: ledger, until: deadline)
    guard isSeen, !liveness.isOver(known) else { throw Departed() }
    holder.vcpuCPUs = pinnedCPUs(of: request)
    if try !ledger.isKept(by: renewed, of: holder.id, on: reader, until: deadline) {
      request.attained = []
      renewed = try plan(request, for: holder.id, beside: ledger, until: deadline)
    }
    if renewed.ladders.isEmpty { holder.attained = [] }
    renewed.replacesLadders = true
    return renewed
  }

  /// What has become of a domain's goals, a sentence each.
  private func changes(for id: HolderID, from old: Ledger, to new: Ledger) -> [String] {
    guard let before = old.holder(id), let now = new.holder(id) else { return [] }
    let cpus = (old: old.isolatedCPUs(of: id), new: new.isolatedCPUs(of: id))
    var goals = Set((before.attained + now.attained).map(\.goal)).sorted()
    goals.removeAll { $0 == Attainment.service }
    return goals.compactMap { goal in
      let earlier = before.attained.first { $0.goal == goal }
      let present = now.attained.first { $0.goal == goal }
      // A release before put no goals on record.
      if earlier == nil || earlier == present, cpus.old == cpus.new { return nil }
      let reasons = (present?.misses ?? []).map { "; \($0)" }.joined()
      return "\(goal) of \(now.name): \(Self.phrase(present?.rung, cpus.new)) now, and "
        + "\(Self.phrase(earlier?.rung, cpus.old)) before\(reasons)"
    }
  }

  private static func phrase(_ rung: String?, _ cpus: CPUList) -> String {
    if let rung { return "\(rung) with CPUs \(cpus)" }
    return cpus.isEmpty ? "nothing but the pins" : "CPUs \(cpus)"
  }
}

// MARK: Other domains' starts

extension Lifecycle {
  /// Has other domains give back CPUs that one cannot start without.
  ///
  /// - Throws: `PhaseRefusal` where it still could not: what it claims is given back before.
  func concede(
    _ concessions: [Concession], to request: Request, _ id: HolderID, until deadline: Deadline
  ) throws -> Outcome {
    var outcome = Outcome()
    do {
      let holders = try store.loadHead().holders
      for holder in holders where concessions.contains(where: { $0.holder == holder.id }) {
        outcome.append(try follow(holder, until: deadline))
      }
      let left = try plan(
        request, for: id, beside: try ledgerOfThePresent(for: id), until: deadline)
      let isFree = left.concessions.isEmpty && left.refusals.isEmpty
      guard isFree else {
        throw PhaseRefusal(
          left.refusals.map(\.description)
            + left.concessions.map { "CPU \($0.cpus) could not be given back in time" })
      }
    } catch {
      _ = try release(until: deadline) { $0.id == id }
      throw error
    }
    return outcome
  }
}

extension [Neighbour] {
  /// The domains with what the threads of their QEMUs are pinned to, and those that Berth does not know.
  func joined(by qemus: [PinnedQEMU]) -> [Neighbour] {
    var joined = self
    for qemu in qemus {
      let isKnown = { (neighbour: Neighbour) in
        neighbour.holder.hypervisor == qemu.hypervisor
          && (qemu.hypervisor == .proxmox ? neighbour.holder.id : neighbour.name)
            .isSame(as: qemu.name)
      }
      let index = joined.firstIndex(where: isKnown) ?? joined.endIndex
      if index == joined.endIndex {
        let id = HolderID(hypervisor: qemu.hypervisor, id: "name:\(qemu.name)")
        var stranger = Neighbour(holder: id, name: qemu.name, vcpuCPUs: [])
        stranger.isolatedCPUs = []
        joined.append(stranger)
      }
      joined[index].vcpuCPUs = joined[index].vcpuCPUs.union(qemu.vcpuCPUs)
      joined[index].otherPins = qemu.otherPins
    }
    return joined
  }
}
