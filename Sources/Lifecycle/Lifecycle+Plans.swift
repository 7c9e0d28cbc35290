internal import Facts
package import HostModel
package import Ledger
internal import Places
internal import Port
package import Tunings

/// What a phase would do, from what is known of the host.
extension Lifecycle {
  /// A request with what follows from the host: the functions of slots that policy names, and the
  /// pins that the configuration gives the domain as a whole.
  package func settled(
    _ request: Request, for id: HolderID, beside ledger: Ledger, until deadline: Deadline
  ) throws -> Request {
    try withPins(withSlots(request, until: deadline), for: id, beside: ledger, until: deadline)
  }

  func withSlots(_ request: Request, until deadline: Deadline) -> Request {
    if request.phase == .release { return request }
    var settled = request
    let reader = FactReader(kernel: kernel, until: deadline)
    settled.policy.pci.functions += request.policy.pci.slots.flatMap(reader.functions)
    return settled
  }

  func withPins(
    _ request: Request, for id: HolderID, beside ledger: Ledger, until deadline: Deadline
  ) throws -> Request {
    guard request.phase != .release, AutomaticPins.divide(request),
      let affinity = request.domain.proxmox?.affinity
    else { return request }
    let cores = try FactReader(kernel: kernel, until: deadline).cores(of: affinity)
    let taken = present(ledger.neighbours(of: id), in: ledger)
      .reduce(CPUList()) { $0.union($1.ownCPUs) }
    guard
      let pins = AutomaticPins.pins(
        for: request.domain, cores: cores, taken: taken, under: request.policy)
    else { return request }
    var settled = request
    settled.pinsBefore = request.policy.pins
    settled.policy.pins = pins
    return settled
  }

  /// A request with the vCPUs that run, where there are more of them than a configuration of Proxmox's tells:
  /// `args` may have them in ways that nobody foresees.
  private func withVCPUs(
    of process: QEMUFacts?, _ request: Request, for id: HolderID, beside ledger: Ledger,
    until deadline: Deadline
  ) throws -> Request? {
    guard request.domain.hypervisor == .proxmox, isAfterStart(request.phase), let process else {
      return nil
    }
    let seen = CPUList(
      process.threads.compactMap { facts in
        if case .vcpu(let number) = facts.thread.role { number } else { nil }
      })
    let expected = request.domain.onlineVCPUs
    guard let last = Array(seen).last, !seen.isSubset(of: CPUList(expected)) else { return nil }
    var other = request
    other.expectedVCPUs = expected.count
    other.domain.vcpus = max(request.domain.vcpus, last + 1)
    other.domain.offVCPUs = CPUList(0..<other.domain.vcpus).subtracting(seen)
    if let pins = request.pinsBefore { other.policy.pins = pins }
    return try withPins(other, for: id, beside: ledger, until: deadline)
  }

  /// The plan for a phase, made from what is read of the host now; nothing is changed.
  ///
  /// A domain that does not run yet is planned for with the threads and cgroups that it will have.
  /// Where it is to go step by step, what has to be done first is planned alone. Of domains on their
  /// way out, and of what they leave behind, the plan sees nothing; where it is made anew, that domain is
  /// one of them.
  package func plan(
    _ request: Request, for id: HolderID, beside ledger: Ledger, anew: Bool = false,
    stepwise: Bool = false, until deadline: Deadline
  ) throws -> Plan {
    try placedPlan(
      request, for: id, beside: ledger, anew: anew, stepwise: stepwise, until: deadline
    ).plan
  }

  /// The plan, with the request as it turned out to be once the domain's threads were seen, and whether they
  /// were, where the plan goes by them.
  func placedPlan(
    _ request: Request, for id: HolderID, beside whole: Ledger, anew: Bool = false,
    stepwise: Bool = false, until deadline: Deadline
  ) throws -> (request: Request, plan: Plan, isSeen: Bool) {
    let needs = Planner.needs(for: request)
    var facts = try FactReader(
      kernel: kernel, monitor: monitor, units: systemd, until: deadline
    ).facts(for: request.domain, needing: needs)
    facts = try seenBeside(id, in: whole, isLeaving: anew, facts)
    facts = whole.withoutOwnPartitions(of: id, facts)
    var ledger = whole
    if anew { ledger.drop(id) }
    markThoseWhoYield(to: request, in: ledger, &facts)
    facts.claimed = ledger.settings(claimedBy: id)
    if !facts.functions.isEmpty { facts.takenFunctions = ledger.takenFunctions }
    facts.askedServices = ledger.askedServices
    if needs.pinnedTasks {
      // While another domain is isolated, a task that is kept for it looks like any other.
      facts.pinnedTasks += ledger.keptTasks.filter { !facts.pinnedTasks.contains($0) }
      // One that Berth has moved itself is put back as it is.
      let moved = ledger.movedTasks
      facts.pinnedTasks.removeAll { moved.contains($0) }
    }
    let isSeen = !needs.process || facts.process != nil
    if !isSeen {
      facts.process = .expected(for: request.domain)
      facts.process?.canPartition = facts.hasExclusiveCPUs
    }
    let placed = try withVCPUs(
      of: facts.process, request, for: id, beside: ledger, until: deadline)
    let request = placed ?? request
    return (request, Planner.plan(request, on: facts, stepwise: stepwise), isSeen)
  }

  /// Facts with the domains beside one, and without those who leave, which that one may do, too.
  func seenBeside(
    _ id: HolderID?, in ledger: Ledger, isLeaving: Bool = false, _ facts: HostFacts
  ) throws -> HostFacts {
    var facts = facts
    let neighbours = try ledger.neighbours(of: id, on: facts, taken: liveness.hugepageKiB)
    facts.neighbours = present(neighbours, in: ledger).joined(by: facts.otherQEMUs)
    // Those whose QEMU is gone give back what they hold as soon as their hypervisor has said so.
    return ledger.withoutLeavers(facts, besides: isLeaving ? nil : id) { holder in
      isLeaving && holder.id == id || liveness.isOver(holder)
    }
  }

  /// Finds out who gives back CPUs for a domain that could not start without: nobody whose policy cannot be
  /// read.
  private func markThoseWhoYield(
    to request: Request, in ledger: Ledger, _ facts: inout HostFacts
  ) {
    guard request.phase == .prepare else { return }
    let pins = request.domain.hardPins
    for index in facts.neighbours.indices {
      let isolated = facts.neighbours[index].isolatedCPUs
      guard !isolated.isEmpty, pins.contains(where: { !$0.cpus.isDisjoint(with: isolated) }),
        let holder = ledger.holder(facts.neighbours[index].holder), holder.isIn
      else { continue }
      do {
        facts.neighbours[index].yields = try requests(holder)?.policy.cpu.contested == .yield
      } catch {
        facts.skipped.append("\(error)")
      }
    }
  }

  /// The domains beside one, without the CPUs of those that have asked for some, and of whose start
  /// nothing is to be seen any more: nobody is kept from a CPU by who never comes.
  private func present(_ neighbours: [Neighbour], in ledger: Ledger) -> [Neighbour] {
    neighbours.map { neighbour in
      guard !neighbour.vcpuCPUs.isEmpty, let holder = ledger.holder(neighbour.holder),
        !holder.isIn, !liveness.isStarting(holder)
      else { return neighbour }
      var absent = neighbour
      (absent.vcpuCPUs, absent.isolatedCPUs) = ([], [])
      return absent
    }
  }

  /// The ledger as the next plan finds it: without the domains that are gone, but for the one that
  /// it is made for.
  package func ledgerOfThePresent(for id: HolderID? = nil) throws -> Ledger {
    var ledger = try store.load()
    ledger.dropGone(besides: id, liveness.isGone)
    return ledger
  }

  /// What a plan would do, change by change.
  package func preview(
    _ plan: Plan, for id: HolderID, beside ledger: Ledger, until deadline: Deadline
  ) -> [PreviewedChange] {
    ledger.preview(plan, for: id, on: reader, until: deadline)
  }

  /// What a domain that is in would give back if it left now.
  package func previewRelease(
    of id: HolderID, from ledger: Ledger, until deadline: Deadline
  ) -> [PreviewedReturn] {
    ledger.previewRelease(of: id, on: reader, until: deadline)
  }

  /// What stands in a setting now; nil where its place is gone.
  ///
  /// - Throws: `ETIMEDOUT` at once where the ledger knows of a process that waits in the kernel for the
  ///   same device: whoever looks would wait beside it, and stay there.
  package func actual(
    _ setting: Setting, in ledger: Ledger, until deadline: Deadline
  ) throws(HostError) -> Value? {
    if let (process, other) = ledger.obstruction(of: setting, isAlive: liveness.isAlive) {
      throw HostError(
        .read, "\(setting)", errno: ErrorNumber.timedOut.number,
        diagnosis: "process \(process.pid) waits in the kernel for \(other)")
    }
    return try reader.read(setting, until: deadline)
  }

  /// Who has put a value into a setting; see `Entry.author(of:on:)`.
  package func author(of value: Value, in entry: Entry) throws -> Author {
    try entry.author(of: value, on: reader)
  }
}
