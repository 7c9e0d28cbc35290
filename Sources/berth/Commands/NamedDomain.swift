internal import ArgumentParser
internal import HostModel

/// A VM by its name, or by a file with its configuration; one of the two is needed.
struct NamedDomain: ParsableArguments {
  @Argument(help: "The VM's name, UUID or Proxmox vmid.", completion: DomainName.known)
  var domain: String?

  @OptionGroup var source: DomainOptions

  func validate() throws {
    if domain == nil, !source.isGiven {
      throw ValidationError("name a VM, or give --libvirt or --proxmox")
    }
  }

  func domain(on host: Host) throws -> Domain { try source.domain(named: domain, on: host) }
}
