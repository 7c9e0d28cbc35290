internal import HostModel

/// What Proxmox ignores in a domain's configuration; what it does not start with is the plan's to tell.
struct ConfigurationCheck: DomainCheck {
  static let name = "configuration"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    domain.remarks.map { remark in
      Finding(
        .warning, "\(domain.domain.name): \(remark.sentence)",
        evidence: [Evidence(remark.place, remark.value ?? remark.sentence)],
        consequence: "the line has no effect", fix: "put that line right, or take it out")
    }
  }
}
