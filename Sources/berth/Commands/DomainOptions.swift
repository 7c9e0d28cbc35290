internal import Bytes
internal import ArgumentParser
internal import Facts
internal import Formats
internal import HostModel
internal import Port

/// Where a domain's configuration comes from.
struct DomainOptions: ParsableArguments {
  @Option(
    name: [.customLong("libvirt"), .customLong("xml")],
    help: ArgumentHelp(
      "The domain's XML, if not libvirt's own copy; “-” reads it from standard input.",
      valueName: "file"), completion: .file(extensions: ["xml"]))
  var libvirt: String?

  @Option(
    help: ArgumentHelp(
      "The domain's configuration of Proxmox VE, if not the one in /etc/pve.", valueName: "file"),
    completion: .file(extensions: ["conf"]))
  var proxmox: String?

  /// Whether a file is named.
  var isGiven: Bool { libvirt != nil || proxmox != nil }

  func validate() throws {
    if libvirt != nil, proxmox != nil {
      throw ValidationError("a domain is libvirt's or Proxmox's: give --libvirt or --proxmox")
    }
  }

  /// The domain in the file, or the one that the host knows by this UUID, vmid or name.
  ///
  /// libvirt's is taken as it runs, else as it is defined. An id comes before a name that looks like it.
  func domain(named name: String?, on host: Host) throws -> Domain {
    if let libvirt { return try DomainFile.read(libvirt) }
    if let proxmox { return try settled(try DomainFile.readProxmox(proxmox), on: host) }
    guard let name, !name.isEmpty, !name.has("/") else {
      throw Complaint("“\(name ?? "")” is no domain's name")
    }
    switch VMReference(name) {
    case .uuid(let uuid):
      if let domain = try Self.domain(with: uuid, on: host) { return domain }
    case .vmid(let vmid):
      if let conf = try ProxmoxHost(kernel: host.kernel).configuration(of: vmid) {
        return try settled(conf, on: host)
      }
    case .name: break
    }
    for folder: HostPath in ["/run/libvirt/qemu", "/etc/libvirt/qemu"] {
      let path: HostPath = "\(folder)/\(name).xml"
      guard host.kernel.exists(path) else { continue }
      return try DomainFile.parse(host.kernel.bytes(of: path), from: path.description)
    }
    throw Complaint(try Self.sentence(aboutUnknown: name, on: host))
  }

  /// libvirt's domain with a UUID; nil where the host knows none.
  private static func domain(with uuid: String, on host: Host) throws -> Domain? {
    for configuration in try DomainConfiguration.all(on: host)
    where configuration.hypervisor == .libvirt {
      // What cannot be read is nobody's.
      let domain = try? DomainFile.parse(configuration.bytes, from: configuration.file)
      if let domain, domain.id?.isSame(as: uuid) ?? false { return domain }
    }
    return nil
  }

  /// That a domain is not known, with the name that may have been meant.
  static func sentence(aboutUnknown name: String, on host: Host) throws -> String {
    let known = try GuestReader(kernel: host.kernel).defined()
    let sentence = "neither libvirt nor Proxmox knows a domain “\(name)”"
    if let nearest = Spelling.nearest(to: name, among: known) {
      return "\(sentence); the nearest is “\(nearest)”"
    }
    return "\(sentence); give its XML with --libvirt, or its configuration with --proxmox"
  }

  private func settled(_ conf: ProxmoxConf, on host: Host) throws -> Domain {
    var domain = conf.domain
    let warnings = try ProxmoxHost(kernel: host.kernel).settle(&domain)
    for warning in conf.warnings.map({ "\($0)" }) + warnings { Terminal.complain(warning) }
    return domain
  }
}
