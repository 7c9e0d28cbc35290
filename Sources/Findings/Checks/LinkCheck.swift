internal import HostModel

/// Whether the functions of a domain have the PCI Express link that they could have.
struct LinkCheck: DomainCheck {
  static let name = "link"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    domain.passedFunctions.compactMap { function in
      guard let link = function.link else { return nil }
      let folder = "/sys/bus/pci/devices/\(function.address)"
      if link.width < link.maximumWidth {
        return Finding(
          .warning,
          "\(function.address) runs at PCIe x\(link.width) of x\(link.maximumWidth)",
          evidence: [
            Evidence("\(folder)/current_link_width", "\(link.width)"),
            Evidence("\(folder)/max_link_width", "\(link.maximumWidth)"),
          ],
          consequence:
            "it has \(link.width * 100 / max(1, link.maximumWidth)) % of its bandwidth",
          fix: "use another slot, check the firmware's bifurcation, or reseat the card")
      }
      guard link.speed != link.maximumSpeed, link.speed != "?", link.maximumSpeed != "?" else {
        return nil
      }
      return Finding(
        .note, "the link of \(function.address) is slower than it could be",
        evidence: [
          Evidence("\(folder)/current_link_speed", link.speed),
          Evidence("\(folder)/max_link_speed", link.maximumSpeed),
        ],
        consequence: "nothing while it idles, which lowers the speed; under load, less is moved",
        fix:
          "look again under load: cat \(folder)/current_link_speed; if it stays, the slot or the "
          + "firmware's limit for it")
    }
  }
}
