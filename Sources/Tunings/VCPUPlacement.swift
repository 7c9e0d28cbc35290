package import HostModel

/// Where a domain's vCPUs may run, put together from its configuration and from policy.
struct VCPUPlacement {
  /// The CPUs of each vCPU; nil for one that nobody pins, or only where no domain may claim CPUs.
  var pins: [CPUList?]
  /// Of vCPUs that would have a CPU each, those CPUs that no domain may claim.
  private(set) var forbidden = CPUList()

  init(_ request: Request) {
    let limits = request.policy.limits
    let wished = (0..<request.domain.vcpus).map { vcpu in
      request.domain.vcpuPins[vcpu] ?? request.policy.pins.vcpus[vcpu]
    }
    // A pin that has one such CPU keeps it, whoever takes the others.
    pins = wished.map { pin in
      pin.flatMap { limits.sentence(forbidding: $0) == nil ? $0 : nil }
    }
    if pins != wished, let cpus = Self.oneCPUEach(wished) {
      forbidden = limits.forbidden(among: CPUList(cpus))
    }
  }

  /// The one CPU of each vCPU, where every vCPU has one of its own.
  var oneCPUEach: [Int]? { Self.oneCPUEach(pins) }

  private static func oneCPUEach(_ pins: [CPUList?]) -> [Int]? {
    var taken = CPUList()
    var cpus: [Int] = []
    for pin in pins {
      guard let pin, pin.count == 1, let cpu = pin.first, !taken.contains(cpu) else { return nil }
      taken.insert(cpu)
      cpus.append(cpu)
    }
    return cpus.isEmpty ? nil : cpus
  }

  /// All CPUs that a vCPU is pinned to.
  var cpus: CPUList {
    pins.reduce(CPUList()) { $0.union($1 ?? []) }
  }
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

/// The CPUs that are a domain's, by its configuration or by policy: those that its vCPUs are pinned
/// to, and where each has one out of `affinity`, the rest of that as well.
package func pinnedCPUs(of request: Request) -> CPUList {
  let placement = request.placement
  guard let affinity = request.domain.proxmox?.affinity, placement.oneCPUEach != nil,
    placement.cpus.isSubset(of: affinity)
  else { return placement.cpus }
  return affinity.subtracting(request.policy.limits.forbidden(among: affinity))
}

/// Whether a domain that policy does something for is pinned to CPUs that no domain may claim: whoever
/// prepares the host for it says so.
package func isPinnedBeyondLimits(_ request: Request) -> Bool {
  request.policy.isEnabled && !request.placement.forbidden.isEmpty
}
