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
          .warning, "\(function.address) has \(link.width) of its \(link.maximumWidth) lanes",
          evidence: [
            Evidence("\(folder)/current_link_width", "\(link.width)"),
            Evidence("\(folder)/max_link_width", "\(link.maximumWidth)"),
          ],
          consequence:
            "it moves \(link.width * 100 / max(1, link.maximumWidth)) % of what it could",
          fix: "another slot; or the firmware's bifurcation of this one, or a card that sits loose")
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
