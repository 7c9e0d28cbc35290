internal import HostModel

/// Whether Proxmox calls Berth for a domain that it is for.
struct HookscriptCheck: DomainCheck {
  static let name = "hookscript"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard domain.domain.hypervisor == .proxmox, domain.isTuned else { return [] }
    guard let script = domain.hookscript else {
      return [
        Finding(
          .warning, "Proxmox does not call Berth for \(domain.domain.name)",
          evidence: [Evidence(domain.file, "no hookscript:")],
          consequence: "nothing is made ready for it",
          fix: "qm set \(domain.commandName) --hookscript local:snippets/berth")
      ]
    }
    guard let objection = domain.hookscriptObjection else { return [] }
    return [
      Finding(
        .error, "the hookscript of \(domain.domain.name) cannot be run: it \(objection)",
        evidence: [Evidence(domain.file, "hookscript: \(script)")],
        consequence: "Proxmox does not start it",
        fix: "./install.sh places it; or qm set \(domain.commandName) --delete hookscript")
    ]
  }
}
