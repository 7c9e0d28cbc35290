internal import HostModel

/// Moves the host's interrupts off the CPUs of a domain's vCPUs.
///
/// Isolation does not: an interrupt goes where its own mask says. Each mask loses the domain's CPUs,
/// and so does the one that interrupts get that are still to come. One that could go nowhere else
/// gets what the host has left.
///
/// Interrupts that the kernel manages itself, and those of one CPU, cannot be moved. From Linux 6.12
/// on their files are read-only, and they are passed over; before, nothing tells them from others
/// until it is tried (`EIO`), and they are counted in one warning. The managed ones of a disk's
/// queues fire only for what the CPU has asked of the disk, so that nothing is lost where other tasks
/// are kept off it.
///
/// irqbalance, where it runs, is told to keep off the domain's CPUs, too. It does so within ten
/// seconds and places all interrupts anew then, so that many are its own from there on and stay
/// where it puts them.
///
/// An interrupt is known by its number, which the kernel gives to another one when its driver goes.
/// Such a one comes with a mask of its own, is therefore found to be changed, and left alone; but
/// if it came with the mask that Berth left for those to come, it gets what that was before.
struct Interrupts: Tuning {
  static let name = "interrupts"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard isAfterStart(request.phase), isWanted(by: request) || sendsOwn(request) else {
      return needs
    }
    needs.cpus = true
    needs.interrupts = true
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard isAfterStart(request.phase) else { return plan }
    sendOwn(request, host, &plan)
    guard isWanted(by: request) else { return plan }
    let balancers = host.interrupts.balancers
    let isFought = balancers.contains { !$0.answers }
    if request.policy.interrupts.move == .auto, isFought {
      plan.warnings.append(
        "the interrupts stay on the CPUs of \(request.domain.name), as irqbalance would move them "
          + "back: stop it, or keep it off those CPUs and set interrupts.move = \"always\"")
      return plan
    }
    let cpus = cpus(of: request, host)
    guard !cpus.isEmpty else { return plan }
    if isFought {
      plan.warnings.append(
        "irqbalance runs: unless it is kept off CPUs \(cpus), it moves interrupts back there")
    }
    if !balancers.isEmpty {
      plan.changes.append(
        Change(
          .every(.balancers), .withCPUs(cpus),
          because: "irqbalance would move interrupts to the vCPUs of \(request.domain.name)"))
    }
    plan.changes += changes(leaving: cpus, request, host)
    return plan
  }

  private func isWanted(by request: Request) -> Bool {
    switch request.policy.interrupts.move {
    case .never: false
    case .always: !request.placement.cpus.isEmpty
    case .auto: Isolation().isWanted(by: request)
    }
  }

  private func own(_ request: Request) -> [PCIAddress] {
    var own = request.domain.functions.map(\.address)
    for function in request.policy.pci.functions where !own.contains(function) {
      own.append(function)
    }
    return own
  }

  private func sendsOwn(_ request: Request) -> Bool {
    request.policy.interrupts.deviceCPUs != nil && !own(request).isEmpty
  }

  /// Sends the interrupts of the domain's own functions where policy says: those that are there,
  /// and those that its guest's drivers make later.
  private func sendOwn(_ request: Request, _ host: HostFacts, _ plan: inout Plan) {
    guard sendsOwn(request), let target = request.policy.interrupts.deviceCPUs else { return }
    let name = request.domain.name
    guard !target.isDisjoint(with: host.onlineCPUs) else {
      plan.warnings.append(
        "policy sends the interrupts of \(name) to CPUs \(target), and none of them is online")
      return
    }
    if host.interrupts.balancers.contains(where: { !$0.answers }) {
      plan.warnings.append("irqbalance runs, and may send the interrupts of \(name) elsewhere")
    }
    for function in own(request) {
      if !host.interrupts.balancers.isEmpty {
        plan.changes.append(
          Change(
            .every(.balancing(of: function)), .exactly(.leftAlone),
            because: "policy, and not irqbalance, sends the interrupts of \(name) somewhere"))
      }
      plan.changes.append(
        Change(
          .every(.interrupts(of: function)), .exactly(.cpus(target)),
          because: "policy sends the interrupts of \(name) there"))
    }
  }

  /// The CPUs that interrupts are to leave.
  private func cpus(of request: Request, _ host: HostFacts) -> CPUList {
    if request.policy.interrupts.move == .auto {
      return Isolation().cpus(of: request, on: host) ?? []
    }
    let cpus = request.placement.cpus.union(Isolation().cpus(of: request, on: host) ?? [])
    return host.housekeepingCPUs(without: cpus).isEmpty ? [] : cpus
  }

  private func changes(leaving cpus: CPUList, _ request: Request, _ host: HostFacts) -> [Change] {
    let name = request.domain.name
    let left = host.housekeepingCPUs(without: cpus)
    // Of its own devices a domain may want to hear where it runs.
    let own = own(request)
    var changes: [Change] = []
    for interrupt in host.interrupts.interrupts where interrupt.isMovable {
      if let function = interrupt.passedFunction, own.contains(function) { continue }
      guard !interrupt.cpus.isDisjoint(with: cpus) else { continue }
      let actions = interrupt.actions.joined(separator: ", ")
      var change = Change(
        .attribute(path: "/proc/irq/\(interrupt.number)/smp_affinity_list", .cpuList),
        .withoutCPUs(cpus, all: left), of: actions,
        because: "would interrupt the vCPUs of \(name)")
      change.countedAs = "interrupts that stay where they are, beside \(name)"
      changes.append(change)
    }
    if let standard = host.interrupts.standard, !standard.isDisjoint(with: cpus) {
      changes.append(
        Change(
          .attribute(path: "/proc/irq/default_smp_affinity", .cpuMask),
          .withoutCPUs(cpus, all: left),
          because: "keeps new interrupts off the vCPUs of \(name)"))
    }
    return changes
  }
}
