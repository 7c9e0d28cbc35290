internal import HostModel

/// Reserves the huge pages that a domain's memory is made of, on the nodes that it is bound to.
///
/// libvirt hands the page size and the nodes to QEMU and reserves nothing: a QEMU that finds too
/// few pages ends with “Cannot allocate memory”. Berth asks each node for as many pages *more* as
/// the domain needs beyond those that are free there, not reserved, and not promised to another
/// domain on its way in.
struct HugepageReservation: Tuning {
  static let name = "hugepages"

  /// What Proxmox has done to the pools is booked, whoever runs by then.
  func servesGuest(in phase: Phase) -> Bool { false }

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    needs.nodes = isWanted(by: request) && (request.phase.mayRefuse || isHypervisorsTurn(request))
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard isWanted(by: request) else { return plan }
    if isHypervisorsTurn(request) { plan.poolEvents = events(of: request.domain, on: host) }
    guard request.phase.mayRefuse else { return plan }
    let limits = request.policy.limits
    var pools = PoolBook(host, limits, mostOf: request.obtainablePages)
    var taken: [PoolShare] = []
    for demand in MemoryDemand.all(of: request.domain, on: host, within: limits.nodes) {
      if let refusal = demand.refusal(for: request.domain, on: host)
        ?? demand.refusal(for: request.domain, within: limits)
      {
        object(refusal, under: request.policy, in: &plan)
        continue
      }
      let shares = pools.take(demand)
      if request.phase == .prepare, let refusal = pools.excess(of: shares, for: request.domain) {
        object(refusal, under: request.policy, in: &plan)
        continue
      }
      taken = taken.adding(shares)
      if request.phase == .prepare, let away = demand.remark(on: shares, of: request.domain) {
        plan.warnings.append(away)
      }
    }
    if request.phase == .prepare {
      plan.changes += taken.map { change(for: $0, request, host) }
      plan.doubts += taken.filter { $0.unseen > 0 }.map { share in
        ShortageDiagnosis.forecast(
          domain: request.domain.name, pool: share.pool, need: share.need,
          got: share.need - share.unseen, host: host)
      }
    } else {
      checkAgain(taken, request, &plan)
    }
    if request.policy.memory.dropsCaches, host.hasZFS {
      plan.warnings.append("caches are not dropped: beside ZFS that can crash the host")
    }
    return plan
  }

  /// The claim that obtains by now so many pages of a pool as a domain is to have of it.
  static func claim(on pool: HugepagePool, need: Int, on host: HostFacts) -> Claim {
    var book = PoolBook(host, Policy.Limits())
    let demand = MemoryDemand(pageKiB: pool.pageKiB, pages: need, nodes: [pool.node])
    let missing = book.take(demand).reduce(0) { $0 + $1.missing }
    return .more(missing, need: need)
  }

  /// Whether a domain's memory can come from nodes that have not granted less than they were asked for.
  static func canDivide(_ request: Request, on host: HostFacts) -> Bool {
    var pools = PoolBook(host, request.policy.limits, mostOf: request.obtainablePages)
    let demands = MemoryDemand.all(
      of: request.domain, on: host, within: request.policy.limits.nodes)
    let shares = demands.flatMap { pools.take($0) }
    return [PoolShare]().adding(shares).allSatisfy { share in
      share.need <= request.obtainablePages[share.pool] ?? share.need
    } && pools.excess(of: shares, for: request.domain) == nil
  }

  /// How many of the pages that domains on their way in count on a pool lacks.
  static func lack(in pool: HugepagePool, on host: HostFacts) -> Int {
    PoolBook(host, Policy.Limits()).lack(in: pool)
  }

  private func isWanted(by request: Request) -> Bool {
    request.policy.memory.reservesHugepages
      && (request.domain.cells.contains { $0.pageKiB != nil }
        || request.domain.memoryDevices.contains { $0.pageKiB != nil })
  }

  /// Whether the hypervisor has just handled the pools itself.
  ///
  /// Once QEMU runs, Proxmox sets the pools of its page size back to what the kernel was booted with,
  /// also those that other domains on their way count on; with `keephugepages` it leaves the pages
  /// there for the next start (`hugepages_pre_deallocate()` in src/PVE/QemuServer/Memory.pm).
  private func isHypervisorsTurn(_ request: Request) -> Bool {
    request.phase == .started && request.domain.proxmox?.hugepages != nil
  }

  private func events(of domain: Domain, on host: HostFacts) -> [PoolEvent] {
    let kind: PoolEvent.Kind = domain.proxmox?.keepsHugepages == true ? .kept : .reset
    var events: [PoolEvent] = []
    for demand in MemoryDemand.all(of: domain, on: host) {
      let event = PoolEvent(kind, pageKiB: demand.pageKiB)
      if !events.contains(event) { events.append(event) }
    }
    return events
  }

  private func change(for share: PoolShare, _ request: Request, _ host: HostFacts) -> Change {
    let memory = MemorySize(kiB: share.pool.kibibytes(in: share.need))
    return Change(
      .hugepagePool(share.pool), .more(share.missing, need: share.need),
      because: "\(request.domain.name) needs \(memory) (\(counted(share.need, "page"))) there",
      isRequired: request.policy.memory.requiresHugepages,
      remedies: MemoryCompaction.remedies(
        on: share.pool.node, under: request.policy.memory, host: host))
  }

  /// The last moment before QEMU runs: pages that somebody outside Berth took since `prepare`
  /// are missed here with a reason, and not in QEMU with none.
  private func checkAgain(_ shares: [PoolShare], _ request: Request, _ plan: inout Plan) {
    for share in shares where share.missing > 0 {
      let refusal = Refusal(
        "\(request.domain.name) needs \(share.need) huge pages of "
          + "\(PageSize(kiB: share.pool.pageKiB)) on node \(share.pool.node), but "
          + "\(min(share.missing, share.need)) of them were taken outside Berth since they were reserved; "
          + "start it again")
      object(refusal, under: request.policy, in: &plan)
    }
  }

  private func object(_ refusal: Refusal, under policy: Policy, in plan: inout Plan) {
    if policy.memory.requiresHugepages {
      plan.refusals.append(refusal)
    } else {
      plan.warnings.append(refusal.description)
    }
  }
}
