internal import Bytes
internal import Facts
package import HostModel
package import Ledger
internal import Places
package import Port
package import Tunings

/// Plays the phases of domains' lives on one host: the hook, a replay and the administrator's
/// commands all come through here.
package struct Lifecycle {
  let kernel: any Kernel
  let store: any LedgerStore
  let engine: Engine
  private let liveness: Liveness
  private let reader: KernelHostReader
  private let units: (any TransientUnits)?
  private let systemd: any Systemd
  private let monitor: (any QEMUMonitor)?
  private let observe: (EngineEvent) -> Void

  /// - Parameters:
  ///   - kernel: The host's kernel, live or recorded.
  ///   - systemd: The host's manager.
  ///   - units: Where units can be made that give back what nobody else does; nil for a host
  ///     without.
  ///   - monitor: Who asks a running QEMU for its threads; nil for a host on which none answers.
  ///   - store: The host's ledger.
  ///   - observe: Told of each change once it has been made.
  package init(
    kernel: any Kernel, systemd: any Systemd, units: (any TransientUnits)? = nil,
    monitor: (any QEMUMonitor)? = nil, store: any LedgerStore,
    observe: @escaping (EngineEvent) -> Void = { _ in }
  ) {
    self.kernel = kernel
    self.systemd = systemd
    self.monitor = monitor
    self.store = store
    self.observe = observe
    self.units = units
    let host = KernelHost(kernel: kernel, systemd: systemd)
    engine = Engine(host: host, store: store, observe: observe)
    liveness = Liveness(kernel: kernel)
    reader = KernelHostReader(host)
  }

  /// Does what a phase of a domain's life asks for.
  ///
  /// - Throws: `PhaseRefusal` in a phase that may refuse; anything else is a failure that the
  ///   caller reports, and nothing to stop a domain for.
  package func play(_ request: Request, by id: HolderID) throws -> Outcome {
    let deadline = kernel.now.advanced(
      byMilliseconds: request.policy.budgets.milliseconds(for: request.phase))
    let request = withSlots(request, until: deadline)
    switch request.phase {
    case .prepare: return try prepare(request, id, until: deadline)
    case .start: return try checkBeforeStart(request, id, until: deadline)
    case .started, .reconnect: return try applyAfterStart(request, id, until: deadline)
    case .stopped: return Outcome()
    case .release: return try releaseUnlessRunning(id, until: deadline)
    }
  }

  /// A request with what follows from the host: the functions of slots that policy names, and the
  /// pins that the configuration gives the domain as a whole.
  package func settled(
    _ request: Request, for id: HolderID, beside ledger: Ledger, until deadline: Deadline
  ) throws -> Request {
    try withPins(withSlots(request, until: deadline), for: id, beside: ledger, until: deadline)
  }

  private func withSlots(_ request: Request, until deadline: Deadline) -> Request {
    if request.phase == .release { return request }
    var settled = request
    let reader = FactReader(kernel: kernel, until: deadline)
    settled.policy.pci.functions += request.policy.pci.slots.flatMap(reader.functions)
    return settled
  }

  private func withPins(
    _ request: Request, for id: HolderID, beside ledger: Ledger, until deadline: Deadline
  ) throws -> Request {
    guard request.phase != .release, AutomaticPins.areWanted(by: request),
      let affinity = request.domain.proxmox?.affinity
    else { return request }
    let cores = try FactReader(kernel: kernel, until: deadline).cores(of: affinity)
    let taken = ledger.neighbours(of: id).reduce(CPUList()) { $0.union($1.vcpuCPUs) }
    guard
      let pins = AutomaticPins.pins(
        for: request.domain, cores: cores, taken: taken, under: request.policy)
    else { return request }
    var settled = request
    settled.policy.pins = pins
    return settled
  }

  /// The plan for a phase, made from what is read of the host now; nothing is changed.
  ///
  /// A domain that does not run yet is planned for with the threads and cgroups that it will have.
  /// Where it is to go step by step, what has to be done first is planned alone. Of domains on their
  /// way out, and of what they leave behind, the plan sees nothing.
  package func plan(
    _ request: Request, for id: HolderID, beside ledger: Ledger, stepwise: Bool = false,
    until deadline: Deadline
  ) throws -> Plan {
    let needs = Planner.needs(for: request)
    var facts = try FactReader(
      kernel: kernel, monitor: monitor, units: systemd, until: deadline
    ).facts(for: request.domain, needing: needs)
    facts.neighbours = try neighbours(of: id, in: ledger, on: facts)
    facts = ledger.withoutLeavers(facts)
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
    if needs.process, facts.process == nil { facts.process = .expected(for: request.domain) }
    return Planner.plan(request, on: facts, stepwise: stepwise)
  }

  /// The domains beside one, with what those on their way in have taken of the host already.
  private func neighbours(
    of id: HolderID, in ledger: Ledger, on facts: HostFacts
  ) throws -> [Neighbour] {
    var neighbours = ledger.neighbours(of: id, on: facts)
    for index in neighbours.indices where !neighbours[index].pendingPages.isEmpty {
      guard let holder = ledger.holder(neighbours[index].holder) else { continue }
      neighbours[index].takenKiB = try liveness.hugepageKiB(of: holder)
    }
    return neighbours
  }

  /// The units that stand by; nil for a host without any.
  package func guards(until deadline: Deadline) throws(HostError) -> [ActiveGuard]? {
    try guardian(until: deadline)?.active(at: kernel.now)
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
    let function = setting.configuredFunction
    for entry in ledger.entries {
      guard let process = entry.leftBehind,
        entry.setting == setting || function != nil && entry.setting.configuredFunction == function,
        liveness.isAlive(process)
      else { continue }
      throw HostError(
        .read, "\(setting)", errno: ErrorNumber.timedOut.number,
        diagnosis: "process \(process.pid) waits in the kernel for \(entry.setting)")
    }
    return try reader.read(setting, until: deadline)
  }

  /// Who has put a value into a setting; see `Entry.author(of:on:)`.
  package func author(of value: Value, in entry: Entry) throws -> Author {
    try entry.author(of: value, on: reader)
  }

  /// Gives back what one domain holds.
  package func release(_ id: HolderID, until deadline: Deadline) throws -> Outcome {
    if try store.load().isEmpty { return Outcome() }
    return try release(until: deadline) { $0.id == id || liveness.isGone($0) }
  }

  /// Gives back what every domain holds.
  package func releaseAll(until deadline: Deadline) throws -> Outcome {
    try release(until: deadline) { _ in true }
  }

  /// Puts one setting's original back, whoever claims it and whatever stands there.
  package func force(_ setting: Setting, until deadline: Deadline) throws -> Outcome {
    try engine.force(setting, until: deadline)
  }

  /// Drops domains that are gone and repairs what is not as it is to be.
  ///
  /// `attempt` counts the times that this was tried since something could not be given back, for the
  /// pause until the next.
  package func reconcile(attempt: Int = 0, until deadline: Deadline) throws -> Outcome {
    var outcome = try release(attempt: attempt, until: deadline, liveness.isGone)
    tryGuard("guards of domains that are not in may stay", &outcome, until: deadline) { units in
      try units.sweep(besides: try store.loadHead().holders, isAlive: liveness.isRunning)
    }
    return outcome
  }

  /// Drops domains with all that they hold, and the guards that stood by for them.
  private func release(
    attempt: Int = 0, until deadline: Deadline, _ leaves: (Holder) -> Bool
  ) throws -> Outcome {
    var outcome = Outcome()
    // Where nothing else stands by, somebody comes back if this process does not come to its end.
    let isUnguarded = try store.loadHead().holders.contains { $0.process == nil && leaves($0) }
    if isUnguarded {
      tryGuard(Self.unrepeated, &outcome, until: deadline) { try $0.startRetry(after: attempt) }
    }
    var left: [Holder] = []
    outcome.append(
      try engine.release(
        until: deadline,
        where: { holder in
          let isLeaving = leaves(holder)
          if isLeaving { left.append(holder) }
          return isLeaving
        }, renewing: liveness.renewed))
    removeGuards(of: left, &outcome, until: deadline)
    updateTimers(after: attempt, of: left, &outcome, until: deadline)
    return outcome
  }

  private static let unrepeated = "nobody looks after what is still to come"

  private func removeGuards(
    of holders: [Holder], _ outcome: inout Outcome, until deadline: Deadline
  ) {
    for holder in holders {
      tryGuard("a guard that is not needed any more stays", &outcome, until: deadline) {
        try $0.remove(holder)
      }
    }
  }

  /// Has somebody look again for as long as something is to happen that nobody calls Berth for, or is
  /// still to be given back.
  private func updateTimers(
    after attempt: Int = 0, of left: [Holder] = [], _ outcome: inout Outcome,
    until deadline: Deadline
  ) {
    tryGuard(Self.unrepeated, &outcome, until: deadline) { units in
      let ledger = try store.load()
      if ledger.awaitsMore { try units.startTimer() } else { try units.stopTimer() }
      let isUnfinished = ledger.isUnfinished { $0.worker.map(liveness.isAlive) ?? false }
      if isUnfinished || ledger.holders.contains(where: { $0.ended != nil }) {
        try units.startRetry(after: attempt)
      } else if left.contains(where: { $0.ended != nil || $0.process == nil }) {
        // It was seen to that somebody looks again.
        try units.stopRetry()
      }
    }
  }

  private func guardian(until deadline: Deadline) -> Guard? {
    units.map { Guard(units: $0, program: "/usr/sbin/berth", deadline: deadline) }
  }

  /// Has the guard do something; without one, a domain is no worse off than under any other tool.
  private func tryGuard(
    _ failure: String, _ outcome: inout Outcome, until deadline: Deadline,
    _ work: (Guard) throws -> Void
  ) {
    guard let guardUnits = guardian(until: deadline) else { return }
    do {
      try work(guardUnits)
    } catch {
      outcome.warnings.append("\(failure): \(error)")
    }
  }
}

extension Lifecycle {
  private static let unguarded = "nobody stands by in case the domain leaves without a word"

  private func prepare(
    _ request: Request, _ id: HolderID, until deadline: Deadline
  ) throws -> Outcome {
    let stale: Holder?
    do {
      if asksForNothing(request), try isUninvolved(id) { return Outcome() }
      stale = try store.load().holder(id)
    } catch {
      guard asksForNothing(request) else { throw error }
      // Whatever became of the state: a VM that Berth does nothing for starts without it.
      return Outcome(warnings: ["\(error)"])
    }
    var outcome = Outcome()
    if let stale {
      if let process = stale.process, liveness.isAlive(process) {
        outcome.warnings.append("\(request.domain.name) runs already; nothing is prepared for it")
        return outcome
      }
      try waitForEarlierStart(of: stale, until: deadline)
      outcome.append(try release(until: deadline) { $0.id == id })
    }
    try wait(for: request, id, until: deadline)
    var holder = holder(for: request, id)
    holder.hook = try liveness.starter(under: id.hypervisor)
    tryGuard(Self.unguarded, &outcome, until: deadline) { try $0.guardArrival(of: holder) }
    do {
      let first = try apply(request, holder, until: deadline)
      outcome.append(first)
      if first.isToBeContinued { outcome.append(try apply(request, holder, until: deadline)) }
    } catch {
      removeGuards(of: [holder], &outcome, until: deadline)
      updateTimers(&outcome, until: deadline)
      throw error
    }
    if try store.loadHead().holder(id) == nil {
      removeGuards(of: [holder], &outcome, until: deadline)
    }
    return outcome
  }

  /// Lets an earlier start of a domain end that still works on the host, as one does whose hypervisor
  /// has given it up.
  private func waitForEarlierStart(of holder: Holder, until deadline: Deadline) throws {
    guard let worker = holder.worker, worker.pid != kernel.ownPID else { return }
    try kernel.wait(until: deadline) { () throws(HostError) in !liveness.isAlive(worker) }
    if liveness.isAlive(worker) {
      throw PhaseRefusal([
        "process \(worker.pid) still makes the host ready for an earlier start of \(holder.name)"
      ])
    }
  }

  /// Whether a VM has no part in the ledger, and nothing waits there for whoever comes by: what
  /// another VM left that is gone, or a process that was killed.
  private func isUninvolved(_ id: HolderID) throws -> Bool {
    let head = try store.loadHead()
    return head.unfinishedCount == 0 && head.holder(id) == nil
      && !head.holders.contains(where: liveness.isGone)
  }

  private static let lookMilliseconds = 500

  /// Lets those go who use what the domain wants, as long as policy has patience with them.
  ///
  /// No lock is held, so that other domains go on. Whoever is left is named by the plan that is made
  /// then.
  private func wait(for request: Request, _ id: HolderID, until deadline: Deadline) throws {
    var left = request.policy.pci.waitMilliseconds
    var told: [String] = []
    while left > 0, kernel.now < deadline {
      let plan = try plan(
        request, for: id, beside: try ledgerOfThePresent(for: id), until: deadline)
      if plan.awaited.isEmpty { return }
      if plan.awaited != told { observe(.waiting(for: plan.awaited)) }
      told = plan.awaited
      kernel.pause(milliseconds: min(left, Self.lookMilliseconds))
      left -= Self.lookMilliseconds
    }
  }

  private func applyAfterStart(
    _ request: Request, _ id: HolderID, until deadline: Deadline
  ) throws -> Outcome {
    if asksForNothing(request), try store.loadHead().holder(id) == nil { return Outcome() }
    let coming = try store.load().holder(id) ?? holder(for: request, id)
    var holder = coming
    holder.hook = nil
    holder.hasArrived = true
    holder.ended = nil
    holder.process = try ProcessReader(kernel: kernel).qemu(of: request.domain)
    let scope = try holder.process.flatMap { try QEMUReader(kernel: kernel).scope(of: $0) }
    var outcome = try apply(request, holder, until: deadline)
    if outcome.isToBeContinued {
      let rest = try apply(request, holder, until: deadline)
      outcome.append(rest)
      if rest.isToBeContinued {
        outcome.warnings.append("\(holder.name) is not isolated: its scope has no cpusets")
      }
    }
    if try store.loadHead().holder(id) != nil {
      standBy(for: holder, in: scope, &outcome, until: deadline)
    }
    tryGuard("a guard that is not needed any more stays", &outcome, until: deadline) {
      try $0.removeArrival(of: coming)
    }
    if try store.load().awaitsMore { updateTimers(&outcome, until: deadline) }
    return outcome
  }

  /// Has somebody notice the end of a domain that runs.
  private func standBy(
    for holder: Holder, in scope: String?, _ outcome: inout Outcome, until deadline: Deadline
  ) {
    if let scope = scope?.fields(at: "/").last {
      tryGuard(Self.unguarded, &outcome, until: deadline) {
        try $0.guardScope(of: holder, named: String(scope))
      }
    } else if holder.process == nil, units != nil {
      outcome.warnings.append(
        "the QEMU of \(holder.name) was not recognised, so nobody notices if it ends without a word;"
          + " what it holds goes back when its hypervisor says that it has ended, or by"
          + " “berth release”")
    }
  }

  /// Gives back what a domain holds that its hypervisor says has ended.
  ///
  /// Proxmox's word for the end of one run may come when the next has begun (`qm cleanup`, which
  /// runs by itself).
  private func releaseUnlessRunning(_ id: HolderID, until deadline: Deadline) throws -> Outcome {
    if try isUninvolved(id) { return Outcome() }
    if let holder = try store.load().holder(id), liveness.isSeenRunning(holder) {
      return Outcome(warnings: ["\(holder.name) runs; nothing is given back"])
    }
    return try release(id, until: deadline)
  }

  /// Looks again whether what was reserved is there, while nobody gives back or takes anything.
  private func checkBeforeStart(
    _ request: Request, _ id: HolderID, until deadline: Deadline
  ) throws -> Outcome {
    var outcome = Outcome()
    guard Planner.needs(for: request) != FactNeeds() else { return outcome }
    let found = try store.withLock(.ledger, until: deadline) {
      let ledger = try ledgerOfThePresent(for: id)
      let request = try withPins(request, for: id, beside: ledger, until: deadline)
      return try plan(request, for: id, beside: ledger, until: deadline)
    }
    outcome.warnings = found.warnings
    guard found.refusals.isEmpty else { throw PhaseRefusal(found.refusals.map(\.description)) }
    return outcome
  }

  private func apply(
    _ request: Request, _ holder: Holder, until deadline: Deadline
  ) throws -> Outcome {
    var left: [Holder] = []
    do {
      var outcome = try engine.apply(
        for: holder, until: deadline,
        isGone: { other in
          let isGone = liveness.isGone(other)
          if isGone { left.append(other) }
          return isGone
        },
        plan: { ledger, holder in
          let request = try withPins(request, for: holder.id, beside: ledger, until: deadline)
          holder.vcpuCPUs = pinnedCPUs(of: request)
          return try plan(
            request, for: holder.id, beside: ledger, stepwise: true, until: deadline)
        })
      removeGuards(of: left, &outcome, until: deadline)
      return outcome
    } catch let rejection as Rejection {
      throw refusal(for: rejection, request, until: deadline)
    } catch let start as StartWithResidue {
      let cause =
        (start.cause as? Rejection).map { refusal(for: $0, request, until: deadline) }
        ?? PhaseRefusal(["\(start.cause)"])
      throw PhaseRefusal(cause.reasons + start.failures + start.drifts)
    }
  }

  private func refusal(
    for rejection: Rejection, _ request: Request, until deadline: Deadline
  ) -> PhaseRefusal {
    switch rejection {
    case .refused(let refusals): PhaseRefusal(refusals.map(\.description))
    case .short(let shortage): PhaseRefusal([sentence(about: shortage, request, until: deadline)])
    }
  }

  private func sentence(
    about shortage: Shortage, _ request: Request, until deadline: Deadline
  ) -> String {
    var needs = FactNeeds()
    needs.nodes = true
    let reader = FactReader(kernel: kernel, until: deadline)
    // The nodes are read for the reason only; without them the line still says what was missing.
    let host = (try? reader.facts(for: request.domain, needing: needs)) ?? HostFacts()
    return ShortageDiagnosis.sentence(
      domain: request.domain.name, pool: shortage.pool, need: shortage.need, got: shortage.got,
      milliseconds: shortage.milliseconds, host: host)
  }

  /// Whether Berth does nothing for a domain, nor needs to remember it.
  package func asksForNothing(_ request: Request) -> Bool {
    Planner.needs(for: request) == FactNeeds() && pinnedCPUs(of: request).isEmpty
      && !AutomaticPins.areWanted(by: request)
  }

  private func holder(for request: Request, _ id: HolderID) -> Holder {
    Holder(
      id: id, name: request.domain.name, vcpuCPUs: pinnedCPUs(of: request),
      since: kernel.now.secondsSinceBoot)
  }
}

/// Why a domain may not start, one sentence for each reason.
package struct PhaseRefusal: Error, Hashable, Sendable {
  package var reasons: [String]

  package init(_ reasons: [String]) { self.reasons = reasons }
}
