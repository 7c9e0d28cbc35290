internal import HostModel

/// Whether each vCPU has a CPU of its own: none is pinned, two share one, or all have the same list.
struct PinsCheck: DomainCheck {
  static let name = "pins"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let vcpus = domain.domain.onlineVCPUs
    guard vcpus.count > 1, domain.oneCPUEach == nil else { return [] }
    if domain.pins.values.allSatisfy(\.isEmpty), domain.domain.commonPin == nil {
      // Why an affinity is not divided is told with the plan, or as a fence.
      return domain.domain.proxmox?.affinity == nil ? [unpinned(domain)] : []
    }
    return stacked(domain, vcpus) + alike(domain, vcpus)
  }

  private func unpinned(_ domain: ExaminedDomain) -> Finding {
    Finding(
      .note, "no vCPU of \(domain.domain.name) is pinned",
      evidence: [Evidence(domain.file, "no <vcpupin>, affinity or pins.vcpus")],
      consequence:
        "its vCPUs move between caches and share CPUs with other tasks; none is isolated",
      fix: "berth advise \(domain.commandName)")
  }

  /// vCPUs that have one CPU between them.
  private func stacked(_ domain: ExaminedDomain, _ vcpus: [Int]) -> [Finding] {
    let single = vcpus.filter { domain.pins[$0]?.count == 1 }
    let groups = Dictionary(grouping: single) { domain.pins[$0]?.first ?? 0 }
    return groups.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { cpu, vcpus in
      Finding(
        .warning, "vCPUs \(CPUList(vcpus)) of \(domain.domain.name) are all pinned to CPU \(cpu)",
        evidence: [domain.pinEvidence],
        consequence: "they take turns there: a vCPU that waits for another one's lock waits for a "
          + "whole time slice",
        fix: "berth advise \(domain.commandName)")
    }
  }

  /// vCPUs that all have the same CPUs, of which there would be one for each.
  private func alike(_ domain: ExaminedDomain, _ vcpus: [Int]) -> [Finding] {
    guard domain.domain.hypervisor == .libvirt, let list = domain.pins[vcpus[0]],
      list.count >= vcpus.count, vcpus.allSatisfy({ domain.pins[$0] == list })
    else { return [] }
    let pins = zip(vcpus, list).map { "<vcpupin vcpu='\($0)' cpuset='\($1)'/>" }
    return [
      Finding(
        .note, "every vCPU of \(domain.domain.name) may run on all of CPUs \(list)",
        evidence: [domain.pinEvidence],
        consequence:
          "they move among these CPUs, and none is isolated: that takes one CPU for each",
        fix: pins.joined())
    ]
  }
}
