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
    return try found + machines(on: host)
  }

  /// The one that an administrator means by a UUID, a vmid or a name; nil where the host knows none.
  ///
  /// libvirt's is taken as it runs, else as it is defined. An id comes before a name that looks like it.
  static func find(_ name: String, on host: Host) throws -> DomainConfiguration? {
    guard !name.isEmpty, !name.has("/") else { return nil }
    switch VMReference(name) {
    case .uuid(let uuid):
      if let found = try all(on: host).first(where: { $0.has(uuid: uuid) }) { return found }
    case .vmid(let vmid):
      let path: HostPath = "/etc/pve/qemu-server/\(vmid).conf"
      if host.kernel.exists(path) {
        var configuration = try at(path, .proxmox, on: host)
        configuration.vmid = vmid
        return configuration
      }
    case .name: break
    }
    for folder: HostPath in ["/run/libvirt/qemu", "/etc/libvirt/qemu"] {
      let path: HostPath = "\(folder)/\(name).xml"
      if host.kernel.exists(path) { return try at(path, .libvirt, on: host) }
    }
    if case .name(let text) = VMReference(name) { return try named(text.text, on: host) }
    return nil
  }

  /// The machine of Proxmox's with a name, which several may have.
  private static func named(_ name: String, on host: Host) throws -> DomainConfiguration? {
    let found = try machines(on: host).filter { configuration in
      // What cannot be read is nobody's.
      (try? configuration.domain())?.name.isSame(as: name) ?? false
    }
    guard found.count <= 1 else {
      let vmids = found.compactMap(\.vmid).joined(separator: ", ")
      throw Complaint("“\(name)” is the name of several VMs; name one of \(vmids)")
    }
    return found.first
  }

  /// Those of Proxmox's on this node.
  private static func machines(on host: Host) throws -> [DomainConfiguration] {
    try entries(of: "/etc/pve/qemu-server", on: host).compactMap { name in
      guard let vmid = ProxmoxConf.vmid(ofFile: name) else { return nil }
      var configuration = try at("/etc/pve/qemu-server/\(name)", .proxmox, on: host)
      configuration.vmid = vmid
      return configuration
    }
  }

  /// The domain that it describes.
  func domain() throws -> Domain {
    switch hypervisor {
    case .libvirt: try DomainFile.parse(bytes, from: file)
    case .proxmox: try ProxmoxConf(bytes, named: file, vmid: vmid).domain
    }
  }

  /// Whether it is of libvirt's VM with a UUID; what cannot be read is nobody's.
  private func has(uuid: String) -> Bool {
    guard hypervisor == .libvirt, let domain = try? DomainFile.parse(bytes, from: file) else {
      return false
    }
    return domain.id?.isSame(as: uuid) ?? false
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
