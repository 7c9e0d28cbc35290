internal import Bytes
internal import Facts
internal import Formats
internal import HostModel

/// Proxmox's VMs of a node, by what their configurations say of their hookscript at present.
struct ProxmoxMachines {
  private let host: Host

  init(of host: Host) { self.host = host }

  /// A VM with its hookscript; why that is not known, where its configuration cannot be read.
  struct Machine {
    var vmid: String
    var name: String
    var file: String
    var isTemplate = false
    var hookscript = Hookscript.none
    var complaint: String?
  }

  /// Those that an administrator names; all of them, without templates, for no name.
  func machines(named names: [String]) throws -> [Machine] {
    if names.isEmpty { return try all().filter { !$0.isTemplate } }
    var found: [Machine] = []
    for name in names {
      guard let configuration = try DomainConfiguration.find(name, on: host) else {
        throw Complaint(try DomainOptions.sentence(aboutUnknown: name, on: host))
      }
      guard configuration.hypervisor == .proxmox, let machine = Self.machine(configuration) else {
        throw Complaint("“\(name)” is a VM of libvirt's, whose hook is called for all of its VMs")
      }
      if !found.contains(where: { $0.vmid == machine.vmid }) { found.append(machine) }
    }
    return found
  }

  /// All of them, ascending by their numbers.
  func all() throws -> [Machine] {
    try DomainConfiguration.all(on: host).filter { $0.hypervisor == .proxmox }
      .compactMap(Self.machine)
      .sorted { ($0.vmid.utf8.count, $0.vmid) < ($1.vmid.utf8.count, $1.vmid) }
  }

  /// The VM as it is at present.
  func machine(_ vmid: String) throws -> Machine? {
    try DomainConfiguration.find(vmid, on: host).flatMap(Self.machine)
  }

  private static func machine(_ configuration: DomainConfiguration) -> Machine? {
    guard let vmid = configuration.vmid else { return nil }
    var machine = Machine(vmid: vmid, name: vmid, file: configuration.file)
    do throws(ProxmoxProblem) {
      let (bytes, file) = (configuration.bytes, configuration.file)
      let domain = try ProxmoxConf(bytes, named: file, vmid: vmid).domain
      machine.name = domain.name
      machine.isTemplate = domain.proxmox?.isTemplate ?? false
      machine.hookscript = Hookscript(try ProxmoxMachine(bytes, named: file).hookscript)
    } catch {
      machine.complaint = "\(error)"
    }
    return machine
  }
}
