internal import HostModel

/// Whether a domain cannot start while another one has CPUs to itself, as it is pinned to nothing else.
struct KeptOutCheck: HostCheck {
  static let name = "kept-out"

  func findings(on host: ExaminedHost) -> [Finding] {
    host.domains.filter(\.isIsolated).flatMap { owner in
      host.domains.compactMap { other in
        other.domain.holder == owner.domain.holder ? nil : finding(owner, other, host)
      }
    }
  }

  private func finding(
    _ owner: ExaminedDomain, _ other: ExaminedDomain, _ host: ExaminedHost
  ) -> Finding? {
    let isCalled =
      other.domain.hypervisor == .libvirt
      ? host.installation.hooks.contains(where: \.isBerth) : other.hookscript != nil
    let yields = owner.policy.cpu.contested == .yield
    guard let stuck = other.domain.hardPins.first(where: { $0.cpus.isSubset(of: owner.vcpuCPUs) }),
      !(yields && isCalled)
    else { return nil }
    let name = other.domain.name
    let end = isCalled ? "Berth refuses its start" : "its start ends with “Invalid argument”"
    var fix = "berth advise \(other.commandName) says which CPUs are free"
    if !yields {
      fix += "; cpu.contested = \"yield\" for \(owner.domain.name) has it give the CPU back"
    }
    if !isCalled, other.domain.hypervisor == .proxmox {
      fix += "; qm set \(other.commandName) --hookscript local:snippets/berth has Berth see to it"
    }
    return Finding(
      other.startsWithHost ? .warning : .note,
      "\(name) cannot start while \(owner.domain.name) has a partition",
      evidence: [
        Evidence(other.file, "\(stuck.thread) on \(stuck.cpus)"), owner.pinEvidence,
      ],
      consequence: other.startsWithHost
        ? "\(end) if \(owner.domain.name) is first when the host boots" : end,
      fix: fix)
  }
}
