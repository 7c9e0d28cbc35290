internal import Bytes
internal import HostModel

/// Whether the host has an IOMMU at all: without one, no function can be handed to a domain.
struct IOMMUCheck: HostCheck {
  static let name = "iommu"

  func findings(on host: ExaminedHost) -> [Finding] {
    let installation = host.installation
    guard installation.iommuGroups == 0 else { return [] }
    let needy = host.domains.filter { !$0.passedFunctions.isEmpty }.map(\.domain.name)
    let parameters = installation.bootParameters
      .filter { $0.name == "iommu" || $0.name.ends(with: "_iommu") }
      .map { "\($0.name)=\($0.value)" }
    return [
      Finding(
        needy.isEmpty ? .note : .error, "the host has no IOMMU, or has not switched it on",
        evidence: [
          Evidence("/sys/kernel/iommu_groups", "empty"),
          Evidence(
            "/proc/cmdline", parameters.isEmpty ? "no iommu=" : parameters.joined(separator: " ")),
        ],
        consequence: needy.isEmpty
          ? "no PCI function can be passed through to a VM"
          : "\(needy.joined(separator: ", ")) cannot start with a PCI function of the host",
        fix: fix(host.topology.cpuVendor, parameters))
    ]
  }

  private func fix(_ vendor: CPUVendor?, _ parameters: [String]) -> String {
    if let off = parameters.first(where: { $0.ends(with: "=off") }) {
      return "take \(off) off the kernel's command line (/etc/default/grub, then update-grub)"
    }
    // The kernel takes AMD's IOMMU unasked; Intel's only where it was built to.
    switch vendor {
    case .intel:
      return "switch VT-d on in the firmware, and boot with intel_iommu=on iommu=pt "
        + "(GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then update-grub)"
    case .amd, .hygon:
      return "switch AMD-Vi (IOMMU) on in the firmware, and boot with iommu=pt"
    case nil: return "switch the IOMMU (SMMU) on in the firmware"
    }
  }
}
