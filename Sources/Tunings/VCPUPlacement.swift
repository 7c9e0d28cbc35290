package import HostModel

/// Where a domain's vCPUs may run, put together from its configuration and from policy.
struct VCPUPlacement {
  /// The CPUs of each vCPU; nil for one that nobody pins.
  var pins: [CPUList?]

  init(_ request: Request) {
    pins = (0..<request.domain.vcpus).map { vcpu in
      request.domain.vcpuPins[vcpu] ?? request.policy.pins.vcpus[vcpu]
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
  return affinity
}
