internal import Bytes
internal import HostModel

/// What Proxmox ignores in a domain's configuration, or does not start with.
struct ConfigurationCheck: DomainCheck {
  static let name = "configuration"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    domain.remarks.map { remark in
      let isFatal = remark.sentence.has(text: "which Proxmox does not start")
      let lacksNUMA = isFatal && domain.domain.proxmox?.hugepageParts.isEmpty == true
      return Finding(
        isFatal ? .error : .warning, "\(domain.domain.name): \(remark.sentence)",
        evidence: [Evidence(remark.place, remark.value ?? remark.sentence)],
        consequence: isFatal ? "Proxmox does not start it" : "the line has no effect",
        fix: lacksNUMA
          ? "qm set \(domain.commandName) --numa 1" : "put that line right, or take it out")
    }
  }
}
