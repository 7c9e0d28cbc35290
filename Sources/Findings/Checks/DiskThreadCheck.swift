internal import HostModel

/// Whether a tuned domain's disks have a thread of their own.
struct DiskThreadCheck: DomainCheck {
  static let name = "disk-iothread"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let disks = domain.machine.disks.filter { $0.canHaveIOThread && !$0.hasIOThread }.map(\.name)
    guard domain.oneCPUEach != nil, !disks.isEmpty else { return [] }
    let names = disks.joined(separator: ", ")
    return [
      Finding(
        .note, "\(names) of \(domain.domain.name) \(disks.count == 1 ? "has" : "have") no iothread",
        evidence: [Evidence(domain.file, "\(names) without iothread=")],
        consequence: "QEMU's main loop serves them, together with everything else",
        fix: domain.domain.hypervisor == .libvirt
          ? "<iothreads>1</iothreads>, and iothread='1' in the <driver> of each (of the controller, "
            + "for SCSI)"
          : "qm set \(domain.commandName) --scsihw virtio-scsi-single, and iothread=1 at each disk")
    ]
  }
}
