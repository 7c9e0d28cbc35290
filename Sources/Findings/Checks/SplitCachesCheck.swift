internal import HostModel

/// Whether a domain's vCPUs are together in one cache, and on cores of one kind.
struct SplitCachesCheck: DomainCheck {
  static let name = "split-caches"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard domain.oneCPUEach != nil else { return [] }
    let cpus = domain.vcpuCPUs.compactMap { host.topology.cpu($0) }
    return [mixture(of: cpus, domain), split(of: cpus, domain, host)].compactMap { $0 }
  }

  private func mixture(of cpus: [TopologyCPU], _ domain: ExaminedDomain) -> Finding? {
    let slow = CPUList(cpus.filter { $0.kind == .efficiency }.map(\.id))
    guard !slow.isEmpty, slow.count < cpus.count else { return nil }
    return Finding(
      .warning, "\(domain.domain.name) has vCPUs on cores of two kinds",
      evidence: [
        domain.pinEvidence, Evidence("/sys/devices/cpu_atom/cpus", "\(slow) among others"),
      ],
      consequence: "its scheduler takes all of them for the same, and waits for the slow ones",
      fix: "pin all vCPUs to cores of one kind: berth advise \(domain.commandName)")
  }

  private func split(
    of cpus: [TopologyCPU], _ domain: ExaminedDomain, _ host: ExaminedHost
  ) -> Finding? {
    var caches: [CPUList] = []
    for cpu in cpus {
      guard let cache = cpu.l3 else { return nil }
      if !caches.contains(cache) { caches.append(cache) }
    }
    guard caches.count > 1 else { return nil }
    // More than the largest cache serves has to be in several.
    let fits = host.topology.cpus.compactMap(\.l3).contains { $0.count >= cpus.count }
    guard fits else { return nil }
    return Finding(
      .warning, "the vCPUs of \(domain.domain.name) are spread over \(caches.count) L3 caches",
      evidence: [domain.pinEvidence]
        + caches.prefix(4).map { cache in
          Evidence(
            "/sys/devices/system/cpu/cpu\(cache.first ?? 0)/cache/index3/shared_cpu_list",
            "\(cache)")
        },
      consequence: "a thread that the guest moves from one to the other starts with a cold cache",
      fix: "pin all vCPUs to CPUs of one of these lists: berth advise \(domain.commandName)")
  }
}
