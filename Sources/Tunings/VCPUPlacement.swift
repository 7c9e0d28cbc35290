package import HostModel

/// Where a domain's vCPUs may run, put together from its configuration and from policy.
struct VCPUPlacement {
  /// The CPUs of each vCPU; nil for one that nobody pins, or only where no domain may claim CPUs.
  var pins: [CPUList?]
  /// The CPUs of pins that are none for Berth, as no domain may claim them.
  private(set) var forbidden = CPUList()

  init(_ request: Request) {
    let limits = request.policy.limits
    pins = (0..<request.domain.vcpus).map { vcpu in
      request.domain.vcpuPins[vcpu] ?? request.policy.pins.vcpus[vcpu]
    }
    for (vcpu, pin) in pins.enumerated() {
      guard let pin, limits.sentence(forbidding: pin) != nil else { continue }
      forbidden = forbidden.union(limits.forbidden(among: pin))
      pins[vcpu] = nil
    }
  }

  /// The one CPU of each vCPU, where every vCPU has one of its own.
  var oneCPUEach: [Int]? {
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
  /// The CPUs that would be left to the host if these were taken besides what other domains are
  /// pinned to.
  func housekeepingCPUs(without cpus: CPUList) -> CPUList {
    neighbours.reduce(onlineCPUs.subtracting(cpus)) { $0.subtracting($1.vcpuCPUs) }
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
