internal import HostModel

/// Whether there is a hypervisor that Berth works for.
struct HypervisorCheck: HostCheck {
  static let name = "hypervisor"

  func findings(on host: ExaminedHost) -> [Finding] {
    guard !host.installation.hasLibvirt, !host.installation.hasProxmox else { return [] }
    return [
      Finding(
        .note, "neither libvirt nor Proxmox VE is installed",
        evidence: [Evidence("/etc/libvirt", "absent"), Evidence("/etc/pve", "absent")],
        consequence: "no VM starts through Berth on this host",
        fix: "apt-get install libvirt-daemon-system, then install.sh again")
    ]
  }
}
