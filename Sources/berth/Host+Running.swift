internal import Bytes
internal import Facts
internal import Formats
internal import HostModel
internal import Port
internal import Tunings

extension Host {
  /// What a VM that runs asks for by now, in its hypervisor's own files and by policy; nil where those are
  /// not there, or another VM's.
  ///
  /// libvirt writes a VM's live XML with each change of it (src/conf/virdomainobjlist.c,
  /// `virDomainObjSave()`); on Proxmox a configuration tells what a VM has, apart from what is still
  /// pending. Neither hypervisor is asked, which may wait for a hook.
  func request(of holder: Holder) throws -> Request? {
    guard let domain = try runningDomain(of: holder), domain.holder == holder.id else { return nil }
    return Request(domain: domain, phase: .reconnect, policy: try policy(for: domain).value)
  }

  private func runningDomain(of holder: Holder) throws -> Domain? {
    switch holder.id.hypervisor {
    case .libvirt:
      let file = "\(holder.name).xml"
      let path: HostPath = "/run/libvirt/qemu/\(file)"
      let bytes = try kernel.ifPresent { () throws(HostError) in try kernel.bytes(of: path) }
      return try bytes.map { try DomainFile.parse($0, from: path.description) }
    case .proxmox:
      let proxmox = ProxmoxHost(kernel: kernel)
      guard var domain = try proxmox.configuration(of: holder.id.id)?.domain else { return nil }
      _ = try proxmox.settle(&domain, foreseeing: false)
      return domain
    }
  }
}
