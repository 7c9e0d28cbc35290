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
/// An interrupt is known by its number, which the kernel gives to another one when its driver goes.
/// Such a one comes with a mask of its own, is therefore found to be changed, and left alone; but
/// if it came with the mask that Berth left for those to come, it gets what that was before.
struct Interrupts: Tuning {
  static let name = "interrupts"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard isAfterStart(request.phase), isWanted(by: request) else { return needs }
    needs.cpus = true
    needs.interrupts = true
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard isAfterStart(request.phase), isWanted(by: request) else { return plan }
    if request.policy.interrupts.move == .auto, host.interrupts.isBalanced {
      plan.warnings.append(
        "the interrupts stay on the CPUs of \(request.domain.name), as irqbalance would move them "
          + "back: stop it, or keep it off those CPUs and set interrupts.move = \"always\"")
      return plan
    }
    let cpus = cpus(of: request, host)
    guard !cpus.isEmpty else { return plan }
    if host.interrupts.isBalanced {
      plan.warnings.append(
        "irqbalance runs: unless it is kept off CPUs \(cpus), it moves interrupts back there")
    }
    plan.changes = changes(leaving: cpus, request, host)
    return plan
  }

  private func isWanted(by request: Request) -> Bool {
    switch request.policy.interrupts.move {
    case .never: false
    case .always: !request.placement.cpus.isEmpty
    case .auto: Isolation().isWanted(by: request)
    }
  }

  /// The CPUs that interrupts are to leave.
  private func cpus(of request: Request, _ host: HostFacts) -> CPUList {
    if request.policy.interrupts.move == .auto {
      return Isolation().cpus(of: request, on: host) ?? []
    }
    let cpus = request.placement.cpus
    return host.housekeepingCPUs(without: cpus).isEmpty ? [] : cpus
  }

  private func changes(leaving cpus: CPUList, _ request: Request, _ host: HostFacts) -> [Change] {
    let name = request.domain.name
    let left = host.housekeepingCPUs(without: cpus)
    let own = request.domain.functions.map(\.address) + request.policy.pci.functions
    var changes: [Change] = []
    for interrupt in host.interrupts.interrupts where interrupt.isMovable {
      let actions = interrupt.actions.joined(separator: ", ")
      var claim = Claim.withoutCPUs(cpus, all: left)
      var reason = "\(actions) would interrupt the vCPUs of \(name)"
      if let function = interrupt.passedFunction, own.contains(function) {
        // Of its own devices a domain may want to hear where it runs.
        guard let target = request.policy.interrupts.deviceCPUs else { continue }
        claim = .exactly(.cpus(target))
        reason = "policy sends \(actions) of \(name) there"
      } else if interrupt.cpus.isDisjoint(with: cpus) {
        continue
      }
      var change = Change(
        .attribute(path: "/proc/irq/\(interrupt.number)/smp_affinity_list", .cpuList), claim,
        because: reason)
      change.countedAs = "interrupts that stay where they are, beside \(name)"
      changes.append(change)
    }
    if let standard = host.interrupts.standard, !standard.isDisjoint(with: cpus) {
      changes.append(
        Change(
          .attribute(path: "/proc/irq/default_smp_affinity", .cpuMask),
          .withoutCPUs(cpus, all: left),
          because: "interrupts to come are not to interrupt the vCPUs of \(name)"))
    }
    return changes
  }
}
