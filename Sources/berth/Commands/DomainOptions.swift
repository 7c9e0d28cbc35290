internal import ArgumentParser
internal import HostIO
internal import HostModel

/// Where a domain's configuration comes from.
struct DomainOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The domain's XML, if not libvirt's own copy; “-” reads it from standard input.",
      valueName: "file"))
  var xml: String?

  /// The domain in the file, or libvirt's domain of that name: as it runs, else as it is defined.
  func domain(named name: String?, on host: Host) throws -> Domain {
    if let xml { return try DomainFile.read(xml) }
    guard let name, !name.isEmpty, !name.contains("/") else {
      throw Complaint("“\(name ?? "")” is no domain's name")
    }
    for folder in ["/run/libvirt/qemu", "/etc/libvirt/qemu"] {
      let path = "\(folder)/\(name).xml"
      guard host.kernel.exists(path) else { continue }
      return try DomainFile.parse(Array(host.kernel.text(of: path).utf8), from: path)
    }
    throw Complaint("libvirt knows no domain “\(name)”; give its XML with --xml")
  }
}

extension Domain {
  /// Whose claims the domain's are: by its UUID or vmid, or by its name where a bare file has
  /// neither.
  var holder: HolderID { HolderID(hypervisor: hypervisor, id: id ?? name) }
}
