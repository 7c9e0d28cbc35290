internal import Bytes
internal import Formats
internal import HostModel
internal import Port

/// A domain's configuration as it was found, for those who look at more of it than a plan does.
struct DomainConfiguration {
  /// The file, as people would open it.
  var file: String
  var bytes: [UInt8]
  var hypervisor: Hypervisor
  /// Proxmox's number of the domain, which its file's name tells.
  var vmid: String?

  /// The configuration in a file that the caller named.
  init(libvirt path: String) throws {
    self.init(
      file: DomainFile.place(path), bytes: try DomainFile.bytes(of: path), hypervisor: .libvirt)
  }

  /// The configuration in a file that the caller named.
  init(proxmox path: String) throws {
    self.init(
      file: DomainFile.place(path), bytes: try DomainFile.bytes(of: path), hypervisor: .proxmox,
      vmid: ProxmoxConf.vmid(ofFile: path))
  }

  private init(file: String, bytes: [UInt8], hypervisor: Hypervisor, vmid: String? = nil) {
    self.file = file
    self.bytes = bytes
    self.hypervisor = hypervisor
    self.vmid = vmid
  }

  /// Those of all domains that a host knows: libvirt's as they run, else as they are defined, and
  /// Proxmox's of this node.
  static func all(on host: Host) throws -> [DomainConfiguration] {
    var found: [DomainConfiguration] = []
    var names: Set<ExactText> = []
    for folder: HostPath in ["/run/libvirt/qemu", "/etc/libvirt/qemu"] {
      for name in try entries(of: folder, on: host) where name.ends(with: ".xml") {
        if !names.insert(ExactText(name)).inserted { continue }
        found.append(try at("\(folder)/\(name)", .libvirt, on: host))
      }
    }
    for name in try entries(of: "/etc/pve/qemu-server", on: host) {
      guard let vmid = ProxmoxConf.vmid(ofFile: name) else { continue }
      var configuration = try at("/etc/pve/qemu-server/\(name)", .proxmox, on: host)
      configuration.vmid = vmid
      found.append(configuration)
    }
    return found
  }

  private static func at(
    _ path: HostPath, _ hypervisor: Hypervisor, on host: Host
  ) throws -> DomainConfiguration {
    DomainConfiguration(
      file: path.description, bytes: try host.kernel.bytes(of: path), hypervisor: hypervisor)
  }

  private static func entries(of folder: HostPath, on host: Host) throws -> [String] {
    host.kernel.exists(folder) ? try host.kernel.entries(of: folder) : []
  }
}
