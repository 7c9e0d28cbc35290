internal import Bytes
internal import HostModel

/// Whether a guest sees its PCI Express cards behind a port, with the link that they have.
///
/// Drivers of graphics cards take a card without a link, or with the slowest, at its word.
struct GuestBusCheck: DomainCheck {
  static let name = "guest-bus"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    // A card's first function stands for the card.
    let cards = domain.passedFunctions.filter { $0.link != nil && $0.address.function == 0 }
    return cards.compactMap { finding($0, domain) }
  }

  private func finding(_ card: FunctionFacts, _ domain: ExaminedDomain) -> Finding? {
    let type = domain.machine.type ?? ""
    let isExpress = type.has(text: "q35") || type.begins(with: "virt")
    let seen = Evidence(domain.file, type.isEmpty ? "no machine type" : "machine \(type)")
    if domain.machine.places[card.address] == .conventional || !isExpress && !type.isEmpty {
      return seat(card, domain, "behind plain PCI", seen)
    }
    guard isExpress, case .bus(let number)? = domain.machine.places[card.address] else {
      return nil
    }
    let model = domain.machine.buses[number]
    if number == 0 { return seat(card, domain, "as a part of the chipset, without a link", seen) }
    if let model, model.ends(with: "pci-bridge") {
      return seat(
        card, domain, "behind a \(model)", Evidence(domain.file, "bus \(number): \(model)"))
    }
    guard model == "pcie-root-port", let version = version(type), version.major < 4 else {
      return nil
    }
    return slow(card, domain, seen)
  }

  private func seat(
    _ card: FunctionFacts, _ domain: ExaminedDomain, _ place: String, _ seen: Evidence
  ) -> Finding {
    Finding(
      card.classCode >> 16 == 0x03 ? .warning : .note,
      "\(domain.domain.name) sees \(card.address) \(place)",
      evidence: [
        seen, Evidence("/sys/bus/pci/devices/\(card.address)/max_link_width", width(card)),
      ],
      consequence: "its driver finds no PCI Express link, and may keep the card slow or refuse it",
      fix: domain.domain.hypervisor == .libvirt
        ? "machine='q35' in <type>, and in the <hostdev> an <address type='pci' bus='N' …/> of a "
          + "<controller type='pci' index='N' model='pcie-root-port'/>"
        : "qm set \(domain.commandName) --machine q35, and pcie=1 in its hostpci line")
  }

  /// Machines before 4.0 have ports of 2.5 GT/s and one lane (`hw_compat_3_1` in hw/core/machine.c).
  private func slow(
    _ card: FunctionFacts, _ domain: ExaminedDomain, _ seen: Evidence
  ) -> Finding {
    Finding(
      .warning, "\(domain.domain.name) sees \(card.address) behind a port of one slow lane",
      evidence: [
        seen, Evidence("/sys/bus/pci/devices/\(card.address)/max_link_width", width(card)),
      ],
      consequence: "its driver may keep the card's memory clock low",
      fix: "machine='q35' in <type>, which libvirt makes the newest; or "
        + "<qemu:arg value='-global'/><qemu:arg value='pcie-root-port.x-speed=16'/> and x-width=16")
  }

  private func width(_ card: FunctionFacts) -> String { "\(card.link?.maximumWidth ?? 0)" }

  /// The numbers at the end of `pc-q35-3.1`.
  private func version(_ type: String) -> (major: Int, minor: Int)? {
    let parts = type.fields(at: "-").last?.fields(at: ".") ?? []
    guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else { return nil }
    return (major, minor)
  }
}
