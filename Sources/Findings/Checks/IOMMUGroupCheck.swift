internal import HostModel

/// Whether the functions that the hypervisor binds can be handed over: VFIO takes an IOMMU group as a
/// whole.
///
/// Of those that Berth binds, the plan tells.
struct IOMMUGroupCheck: DomainCheck {
  static let name = "iommu-group"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    // Without any group, that is what is to be told, once.
    guard host.installation.iommuGroups > 0 else { return [] }
    let managed = domain.domain.functions.filter(\.isManaged).map(\.address)
    return domain.passedFunctions.filter { managed.contains($0.address) }
      .compactMap { finding($0, domain) }
  }

  private func finding(_ function: FunctionFacts, _ domain: ExaminedDomain) -> Finding? {
    guard let group = function.iommuGroup else {
      return Finding(
        .error, "\(function.address) is in no IOMMU group",
        evidence: [Evidence("/sys/bus/pci/devices/\(function.address)/iommu_group", "missing")],
        consequence: "\(domain.domain.name) does not start with it",
        fix: "switch the IOMMU on for it in the firmware")
    }
    let passed = domain.domain.functions.map(\.address)
    let held = function.groupSiblings.filter { sibling in
      guard let driver = sibling.driver, !passed.contains(sibling.address) else { return false }
      return !VFIO.tolerates(driver)
    }
    guard let first = held.first else { return nil }
    let isLibvirt = domain.domain.hypervisor == .libvirt
    let names = held.map { "\($0.address) (\($0.driver ?? ""))" }.joined(separator: ", ")
    return Finding(
      isLibvirt ? .error : .warning,
      "\(function.address) shares IOMMU group \(group) with functions that the host uses",
      evidence: [Evidence("/sys/kernel/iommu_groups/\(group)/devices", names)],
      consequence: isLibvirt
        ? "\(domain.domain.name) does not start: the group is not viable"
        : "Proxmox takes them from the host as well when \(domain.domain.name) starts",
      fix: "hand \(first.address) to \(domain.domain.name) too, or put the card into a slot with a "
        + "group of its own")
  }
}
