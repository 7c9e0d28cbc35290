package import HostModel

/// Where a domain's vCPUs may run, put together from its configuration and from policy.
struct VCPUPlacement {
  /// The vCPUs that are on, ascending, each with its CPUs; nil for one that nobody pins, or only where no
  /// domain may claim CPUs.
  var pins: [(vcpu: Int, cpus: CPUList?)]
  /// Of vCPUs that would have a CPU of their own, those CPUs that no domain may claim.
  private(set) var forbidden = CPUList()

  private init(pins: [(vcpu: Int, cpus: CPUList?)]) { self.pins = pins }

  init(_ request: Request) {
    let limits = request.policy.limits
    let wished: [(vcpu: Int, cpus: CPUList?)] = request.domain.onlineVCPUs.map { vcpu in
      (vcpu, request.domain.vcpuPins[vcpu] ?? request.policy.pins.vcpus[vcpu])
    }
    // A pin that has one such CPU keeps it, whoever takes the others.
    pins = wished.map { vcpu, pin in
      (vcpu, pin.flatMap { limits.sentence(forbidding: $0) == nil ? $0 : nil })
    }
    if pins.map(\.cpus) != wished.map(\.cpus) {
      let alone = VCPUPlacement(pins: wished).alone.map(\.cpu)
      forbidden = limits.forbidden(among: CPUList(alone))
    }
  }

  /// What each vCPU has of its CPUs.
  var classes: [(vcpu: Int, kind: VCPUClass)] {
    let shared = sharedCPUs
    return pins.map { vcpu, cpus in
      guard let cpus, let cpu = cpus.first else { return (vcpu, .shares("not pinned")) }
      if cpus.count > 1 { return (vcpu, .shares("pinned to CPUs \(cpus)")) }
      if shared.contains(cpu) {
        return (vcpu, .shares("another vCPU is pinned to CPU \(cpu) as well"))
      }
      return (vcpu, .alone(cpu))
    }
  }

  /// The vCPUs that have a CPU of their own, with that.
  var alone: [(vcpu: Int, cpu: Int)] {
    classes.compactMap { vcpu, kind in
      if case .alone(let cpu) = kind { (vcpu, cpu) } else { nil }
    }
  }

  /// The vCPUs that have none, a sentence for all of whom the same is to be said.
  func sharing(of domain: String) -> [String] {
    var groups: [(reason: String, vcpus: CPUList)] = []
    for (vcpu, kind) in classes {
      guard case .shares(let reason) = kind else { continue }
      if let index = groups.firstIndex(where: { $0.reason == reason }) {
        groups[index].vcpus.insert(vcpu)
      } else {
        groups.append((reason, [vcpu]))
      }
    }
    return groups.map { reason, vcpus in
      let isOne = vcpus.count == 1
      return "\(isOne ? "vCPU" : "vCPUs") \(vcpus) of \(domain) "
        + "\(isOne ? "has no CPU to itself" : "have no CPUs to themselves"): \(reason)"
    }
  }

  /// The one CPU of each vCPU, where every vCPU that is on has one of its own.
  var oneCPUEach: [Int]? {
    let alone = alone
    return alone.isEmpty || alone.count < pins.count ? nil : alone.map(\.cpu)
  }

  /// All CPUs that a vCPU is pinned to.
  var cpus: CPUList {
    pins.reduce(CPUList()) { $0.union($1.cpus ?? []) }
  }

  /// The CPUs that more than one vCPU is pinned to.
  private var sharedCPUs: CPUList {
    var (seen, shared) = (CPUList(), CPUList())
    for (_, cpus) in pins {
      shared = shared.union(seen.intersection(cpus ?? []))
      seen = seen.union(cpus ?? [])
    }
    return shared
  }
}

/// Whether a vCPU has a CPU of its own.
enum VCPUClass: Hashable {
  case alone(Int)
  /// Why it has none, as what follows a colon.
  case shares(String)
}

extension Request {
  var placement: VCPUPlacement { VCPUPlacement(self) }
}

extension HostFacts {
  /// The CPUs that would be left to the host's own tasks if these were taken besides what other
  /// domains have to themselves.
  func hostCPUs(without cpus: CPUList) -> CPUList {
    neighbours.reduce(onlineCPUs.subtracting(cpus)) { $0.subtracting($1.isolatedCPUs) }
  }

  /// Those of them that no other domain is pinned to; all, where that would be none.
  func housekeepingCPUs(without cpus: CPUList) -> CPUList {
    let all = hostCPUs(without: cpus)
    let free = neighbours.reduce(all) { $0.subtracting($1.vcpuCPUs) }
    return free.isEmpty ? all : free
  }
}

extension Neighbour {
  /// Those of some CPUs that cannot be taken from the domain: where its vCPUs are pinned, and where
  /// another thread of its QEMU is that would have no CPU left.
  ///
  /// A thread whose pin has other CPUs as well goes on there.
  func cpus(contesting cpus: CPUList, on host: HostFacts) -> CPUList {
    let stuck = otherPins.map { $0.intersection(host.onlineCPUs) }.filter { $0.isSubset(of: cpus) }
    return stuck.reduce(vcpuCPUs.intersection(cpus)) { $0.union($1) }
  }
}

/// The CPUs that are a domain's, by its configuration or by policy: those that its vCPUs are pinned
/// to, and where each has one out of `affinity`, the rest of that as well.
package func pinnedCPUs(of request: Request) -> CPUList {
  let placement = request.placement
  guard let affinity = request.domain.proxmox?.affinity, placement.oneCPUEach != nil,
    placement.cpus.isSubset(of: affinity), !AutomaticPins.isFence(request)
  else { return placement.cpus }
  return affinity.subtracting(request.policy.limits.forbidden(among: affinity))
}

/// Whether a domain that policy does something for is pinned to CPUs that no domain may claim: whoever
/// prepares the host for it says so.
package func isPinnedBeyondLimits(_ request: Request) -> Bool {
  request.policy.isEnabled && !request.placement.forbidden.isEmpty
}
