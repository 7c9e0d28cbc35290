package import HostModel

/// Divides the CPUs that a configuration names for a domain as a whole among its threads.
///
/// Proxmox starts QEMU on the CPUs of `affinity` and pins nothing further, so that the vCPUs wander
/// among them and share them with the emulator.
package enum AutomaticPins {
  /// Whether policy leaves the pins to what the configuration says.
  package static func areWanted(by request: Request) -> Bool {
    request.policy.pinsAutomatically && request.policy.pins.vcpus.isEmpty
      && request.domain.vcpuPins.isEmpty
      && request.domain.proxmox?.affinity != nil
  }

  /// Whether they are to be divided as well: what is only a fence leaves its threads the choice.
  package static func divide(_ request: Request) -> Bool {
    areWanted(by: request) && !isFence(request)
  }

  /// Whether the CPUs of a configuration are more than the domain's threads have a use for, so that they
  /// are where it may be rather than its own; nobody who asks for a partition by name means that.
  ///
  /// As many again as there are vCPUs are those of siblings, or for the emulator and iothreads.
  static func isFence(_ request: Request) -> Bool {
    guard let affinity = request.domain.proxmox?.affinity, request.policy.isolation != .partition
    else { return false }
    let vcpus = request.domain.onlineVCPUs.count
    return affinity.count > max(2 * vcpus, vcpus + 2)
  }

  /// One CPU for each vCPU, and the rest for the emulator and the iothreads.
  ///
  /// Nil where there are too few CPUs, or some of them are another domain's (`taken`): a vCPU that
  /// is pinned to a CPU with somebody else on it is worse off than one that can step aside.
  package static func pins(
    for domain: Domain, cores: [CPUList], taken: CPUList, under policy: Policy
  ) -> Policy.Pins? {
    guard let affinity = domain.proxmox?.affinity, affinity.isDisjoint(with: taken) else {
      return nil
    }
    let threads = policy.guestThreads ?? domain.proxmox?.guestThreads ?? 1
    let allowed = affinity.subtracting(policy.limits.forbidden(among: affinity))
    let order = order(of: cores.map { $0.intersection(allowed) }, siblingsTogether: threads > 1)
    let vcpus = domain.onlineVCPUs
    guard !vcpus.isEmpty, order.count >= vcpus.count else { return nil }
    var pins = policy.pins
    for (vcpu, cpu) in zip(vcpus, order) { pins.vcpus[vcpu] = [cpu] }
    let rest = CPUList(order.dropFirst(vcpus.count))
    guard !rest.isEmpty else { return pins }
    pins.emulator = pins.emulator ?? rest
    for id in domain.iothreadIDs { pins.iothreads[id] = pins.iothreads[id] ?? rest }
    return pins
  }

  /// Why a domain's `affinity` is not divided, as a sentence; nil where it is, or there is none.
  static func objection(to request: Request, on host: HostFacts) -> String? {
    guard areWanted(by: request), let affinity = request.domain.proxmox?.affinity else {
      return nil
    }
    let name = request.domain.name
    let forbidden = request.policy.limits.forbidden(among: affinity)
    let online = affinity.intersection(host.onlineCPUs).subtracting(forbidden)
    // A start with none of its CPUs is refused.
    if affinity.isDisjoint(with: host.onlineCPUs) || isFence(request) { return nil }
    let vcpus = request.domain.onlineVCPUs.count
    let command = "qm set \(request.domain.commandName) --affinity"
    let advice = "berth advise \(request.domain.commandName) says which are free"
    if let rival = host.neighbours.first(where: { !$0.ownCPUs.isDisjoint(with: affinity) }) {
      let shared = rival.ownCPUs.intersection(affinity)
      return "the vCPUs of \(name) share its affinity \(affinity), as \(rival.name) has CPUs "
        + "\(shared) of it; \(command) with others: \(advice)"
    }
    guard online.count < vcpus else { return nil }
    return "the \(counted(vcpus, "vCPU")) of \(name) share its affinity \(affinity), which has "
      + "only " + counted(online.count, "CPU") + "; \(command) with \(vcpus) or more: \(advice)"
  }

  /// That some CPUs of a domain's `affinity` are not there, as a sentence; nil where all are, or none, which
  /// is refused.
  static func absence(of request: Request, on host: HostFacts) -> String? {
    guard let affinity = request.domain.proxmox?.affinity else { return nil }
    let there = affinity.intersection(host.onlineCPUs)
    guard !there.isEmpty, there != affinity else { return nil }
    let (name, absent) = (request.domain.name, affinity.subtracting(there))
    return "CPUs \(absent) of affinity of \(name) are not online; qm set "
      + "\(request.domain.commandName) --affinity \(there)"
  }

  /// That a domain's `affinity` is only where it may be, as a sentence; nil where it is its own.
  package static func remarkOnFence(of request: Request) -> String? {
    guard areWanted(by: request), isFence(request), request.policy.isolation != .none,
      let affinity = request.domain.proxmox?.affinity
    else { return nil }
    let vcpus = request.domain.onlineVCPUs.count
    return
      "the \(counted(vcpus, "vCPU")) of \(request.domain.name) may be anywhere in its affinity "
      + "\(affinity), which is too wide to be its own; pins.vcpus in its section of the policy file gives "
      + "each a CPU, and an affinity of \(max(2 * vcpus, vcpus + 2)) CPUs at most a partition"
  }

  /// A guest that knows of SMT wants the siblings of a core side by side; any other is to have as
  /// many whole cores as there are before two of its vCPUs share one.
  private static func order(of cores: [CPUList], siblingsTogether: Bool) -> [Int] {
    if siblingsTogether { return cores.flatMap(Array.init) }
    let widest = cores.map(\.count).max() ?? 0
    return (0..<widest).flatMap { thread in
      cores.compactMap { core in Array(core).dropFirst(thread).first }
    }
  }
}
