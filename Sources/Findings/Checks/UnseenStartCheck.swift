internal import HostModel

/// Whether a domain runs of whose start Berth was not told.
struct UnseenStartCheck: DomainCheck {
  static let name = "unseen-start"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard domain.isRunning, domain.isTuned, !domain.isIn else { return [] }
    let isLibvirt = domain.domain.hypervisor == .libvirt
    return [
      Finding(
        .warning, "\(domain.domain.name) was started without Berth",
        evidence: [Evidence("/run/berth", "does not name it")],
        consequence: isLibvirt
          ? "nothing is tuned for it; libvirt looks for its first hook only when its daemon starts"
          : "nothing is tuned for it",
        fix: (isLibvirt
          ? "systemctl reload \(host.installation.libvirtDaemon) for later starts; " : "")
          + "berth replay \(domain.commandName) started for this one")
    ]
  }
}
