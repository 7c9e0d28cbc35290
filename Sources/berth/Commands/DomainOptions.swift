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
      "The domain XML, if not libvirt's own copy; “-” reads it from standard input.",
      valueName: "file"), completion: .file(extensions: ["xml"]))
  var libvirt: String?

  @Option(
    help: ArgumentHelp(
      "The VM's Proxmox VE configuration, if not the one in /etc/pve.", valueName: "file"),
    completion: .file(extensions: ["conf"]))
  var proxmox: String?

  /// Whether a file is named.
  var isGiven: Bool { libvirt != nil || proxmox != nil }

  func validate() throws {
    if libvirt != nil, proxmox != nil {
      throw ValidationError("a VM belongs to libvirt or Proxmox: give --libvirt or --proxmox")
    }
  }

  /// The domain in the file, or the one that the host knows by this UUID, vmid or name.
  ///
  /// libvirt's is taken as it runs, else as it is defined; Proxmox's as it runs, or with what waits for its next
  /// start. An id comes before a name that looks like it.
  func domain(named name: String?, on host: Host, atNextStart: Bool = true) throws -> Domain {
    if let libvirt { return try DomainFile.read(libvirt) }
    if let proxmox {
      let conf = try DomainFile.readProxmox(proxmox, atNextStart: atNextStart)
      return try settled(conf, on: host)
    }
    guard let name, !name.isEmpty, !name.has("/") else {
      throw Complaint("“\(name ?? "")” is not the name of a VM")
    }
    guard let found = try DomainConfiguration.find(name, on: host) else {
      throw Complaint(try Self.sentence(aboutUnknown: name, on: host))
    }
    if found.hypervisor == .libvirt { return try DomainFile.parse(found.bytes, from: found.file) }
    return try settled(
      try ProxmoxConf(
        found.bytes, named: found.file, vmid: found.vmid, atNextStart: atNextStart), on: host)
  }

  /// That a domain is not known, with the name that may have been meant.
  static func sentence(aboutUnknown name: String, on host: Host) throws -> String {
    let known = try GuestReader(kernel: host.kernel).defined()
    let sentence = "neither libvirt nor Proxmox knows a VM “\(name)”"
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
