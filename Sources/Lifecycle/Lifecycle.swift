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
  let liveness: Liveness
  let reader: KernelHostReader
  let units: (any TransientUnits)?
  let systemd: any Systemd
  let monitor: (any QEMUMonitor)?
  let observe: (EngineEvent) -> Void
  let requests: (Holder) throws -> Request?
  let beginWork: () -> Void

  /// - Parameters:
  ///   - kernel: The host's kernel, live or recorded.
  ///   - systemd: The host's manager.
  ///   - units: Where units can be made that give back what nobody else does; nil for a host
  ///     without.
  ///   - monitor: Who asks a running QEMU for its threads; nil for a host on which none answers.
  ///   - store: The host's ledger.
  ///   - observe: Told of each change once it has been made.
  ///   - requests: What a domain that runs asks for by now, in its hypervisor's own files and by policy;
  ///     nil for one of which nobody can tell.
  ///   - beginWork: Called once a phase after the start turns out to have something to do, before it takes
  ///     a lock.
  package init(
    kernel: any Kernel, systemd: any Systemd, units: (any TransientUnits)? = nil,
    monitor: (any QEMUMonitor)? = nil, store: any LedgerStore,
    observe: @escaping (EngineEvent) -> Void = { _ in },
    requests: @escaping (Holder) throws -> Request? = { _ in nil },
    beginWork: @escaping () -> Void = {}
  ) {
    self.beginWork = beginWork
    self.kernel = kernel
    self.systemd = systemd
    self.monitor = monitor
    self.store = store
    self.observe = observe
    self.requests = requests
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
}

extension Lifecycle {
  private static let unguarded = "no guard unit watches for the VM's end"

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
    try waitForReturns(of: request, until: deadline)
    try wait(for: request, id, until: deadline)
    var holder = holder(for: request, id)
    holder.hook = try liveness.starter(under: id.hypervisor)
    tryGuard(Self.unguarded, &outcome, until: deadline) { try $0.guardArrival(of: holder) }
    do {
      let first = try apply(request, holder, until: deadline)
      outcome.append(first)
      if first.isToBeContinued { outcome.append(try apply(request, holder, until: deadline)) }
      if !first.concessions.isEmpty {
        outcome.append(try concede(first.concessions, to: request, id, until: deadline))
      }
    } catch {
      removeArrivalGuard(of: holder, &outcome, until: deadline)
      updateTimers(&outcome, until: deadline)
      throw error
    }
    if try store.loadHead().holder(id) == nil {
      removeArrivalGuard(of: holder, &outcome, until: deadline)
    }
    return outcome
  }

  /// Lets an earlier start of a domain end that still works on the host, as one does whose hypervisor
  /// has given it up.
  private func waitForEarlierStart(of holder: Holder, until deadline: Deadline) throws {
    guard let worker = holder.worker, worker.pid != kernel.ownPID else { return }
    try kernel.wait(until: deadline) { () throws(HostError) in !liveness.isAlive(worker) }
    if liveness.isAlive(worker) {
      throw PhaseRefusal(["\(EarlierStart(domain: holder.name, pid: worker.pid))"])
    }
  }

  /// Lets those end who are just giving back a function that the domain wants, as after its own last run:
  /// whoever looks at it meanwhile waits for the device.
  private func waitForReturns(of request: Request, until deadline: Deadline) throws {
    if try store.loadHead().unfinishedCount == 0 { return }
    let functions = Planner.needs(for: request).functions
    for entry in try store.load().entries where entry.claims.isEmpty && entry.leftBehind == nil {
      guard let function = entry.setting.configuredFunction, functions.contains(function) else {
        continue
      }
      try store.withLock(.setting(entry.setting), until: deadline) {}
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
    beginWork()
    let coming = try store.load().holder(id) ?? holder(for: request, id)
    var holder = coming
    holder.hook = nil
    holder.hasArrived = true
    holder.ended = nil
    holder.process = try ProcessReader(kernel: kernel).qemu(of: request.domain)
    let scope = try holder.process.flatMap { try QEMUReader(kernel: kernel).scope(of: $0) }
    // Who has come back to a domain tries again what was refused earlier.
    holder.attained = []
    let (request, words) = withGuest(request, &holder, until: deadline)
    var outcome = try apply(request, holder, until: deadline)
    outcome.warnings = words + outcome.warnings
    if outcome.isToBeContinued {
      var rest = request
      rest.attained = try store.load().holder(id)?.attained ?? []
      holder.attained = rest.attained
      outcome.append(try apply(rest, holder, until: deadline))
    }
    if try store.loadHead().holder(id) != nil {
      standBy(for: holder, in: scope, &outcome, until: deadline)
    }
    removeArrivalGuard(of: coming, &outcome, until: deadline)
    if try store.load().awaitsMore { updateTimers(&outcome, until: deadline) }
    return outcome
  }

  /// Has somebody notice the end of each domain that runs, and who pins its vCPUs: the hook that was to see
  /// to it may have been killed.
  func standBy(_ outcome: inout Outcome, until deadline: Deadline) {
    do {
      let ledger = try store.load()
      for holder in ledger.holders {
        guard let process = holder.process, liveness.isAlive(process) else { continue }
        let scope = try QEMUReader(kernel: kernel).scope(of: process)
        standBy(for: holder, in: scope, &outcome, until: deadline)
        let files = ledger.vcpuGroups(partitionedBy: holder.id).map { "\($0)/cpuset.cpus" }
        guard let name = scope?.fields(at: "/").last, !files.isEmpty else { continue }
        tryGuard(Self.unguarded, &outcome, until: deadline) {
          try $0.watchPins(of: holder, in: files, within: String(name))
        }
      }
    } catch {
      outcome.warnings.append("\(Self.unguarded): \(error)")
    }
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
        "the QEMU of \(holder.name) was not recognised, so its end goes unnoticed unless its hypervisor reports it;"
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
    beginWork()
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
      var request = try withPins(request, for: id, beside: ledger, until: deadline)
      // Its memory stays divided as it was prepared.
      request.obtainablePages = ledger.pagesNeeded(by: id)
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
    var engine = engine
    engine.pools = pools(forComing: holder.id, until: deadline)
    do {
      var outcome = try engine.apply(
        for: holder, until: deadline,
        isGone: { other in
          let isGone = liveness.isGone(other)
          if isGone { left.append(other) }
          return isGone
        },
        plan: { ledger, holder in
          let pinned = try withPins(request, for: holder.id, beside: ledger, until: deadline)
          let (request, plan, _) = try placedPlan(
            pinned, for: holder.id, beside: ledger, stepwise: true, until: deadline)
          holder.vcpuCPUs = pinnedCPUs(of: request)
          // Until its threads are there to be looked at, nobody takes anew what is given back for it.
          for concession in plan.concessions {
            holder.vcpuCPUs = holder.vcpuCPUs.union(concession.cpus)
          }
          return plan
        })
      for holder in left { sweepGuards(of: holder.id, &outcome, until: deadline) }
      return outcome
    } catch let rejection as Rejection {
      if let other = try divided(request, after: rejection, holder.id, until: deadline) {
        return try apply(other, holder, until: deadline)
      }
      throw refusal(for: rejection, request)
    } catch let start as StartWithResidue {
      let cause =
        (start.cause as? Rejection).map { refusal(for: $0, request) }
        ?? PhaseRefusal(["\(start.cause)"])
      throw PhaseRefusal(cause.reasons + start.failures + start.drifts)
    }
  }

  /// The request with less memory from a node that has granted too little, where policy and the kernel let
  /// the rest come from others; all that was obtained has been given back by then.
  private func divided(
    _ request: Request, after rejection: Rejection, _ id: HolderID, until deadline: Deadline
  ) throws -> Request? {
    guard case .short(let shortage) = rejection, kernel.now < deadline,
      shortage.got < request.obtainablePages[shortage.pool] ?? .max
    else { return nil }
    var other = request
    other.obtainablePages[shortage.pool] = shortage.got
    let facts = try nodes(seenBy: id, in: ledgerOfThePresent(for: id), until: deadline)
    return Planner.canDivideMemory(of: other, on: facts) ? other : nil
  }

  private func refusal(for rejection: Rejection, _ request: Request) -> PhaseRefusal {
    switch rejection {
    case .refused(let refusals): PhaseRefusal(refusals.map(\.description))
    case .short(let shortage): PhaseRefusal([sentence(about: shortage, request)])
    }
  }

  private func sentence(about shortage: Shortage, _ request: Request) -> String {
    ShortageDiagnosis.sentence(
      domain: request.domain.name, pool: shortage.pool, need: shortage.need, got: shortage.got,
      milliseconds: shortage.milliseconds, host: shortage.host ?? HostFacts())
  }

  /// Whether Berth does nothing for a domain, nor needs to remember it.
  package func asksForNothing(_ request: Request) -> Bool {
    Planner.needs(for: request) == FactNeeds() && pinnedCPUs(of: request).isEmpty
      && !AutomaticPins.areWanted(by: request) && !isPinnedBeyondLimits(request)
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
