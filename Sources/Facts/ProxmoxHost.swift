internal import Bytes
package import Formats
package import HostModel
package import Port

/// Where Proxmox keeps the configurations of its domains, and what of the host they mean.
package struct ProxmoxHost {
  let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  private static let cluster: HostPath = "/etc/pve"

  /// The configuration of the domain with this number; nil where this node has none, as for a
  /// container.
  ///
  /// On the target of a migration it is still under the node that the domain comes from, of which
  /// Proxmox tells by `PVE_MIGRATED_FROM` (src/PVE/QemuServer.pm, `vm_start_nolock`).
  ///
  /// `seeing` is shown the file before anything is made of it.
  package func configuration(
    of vmid: String, migratedFrom source: String? = nil, seeing: ([UInt8]) -> Void = { _ in }
  ) throws -> ProxmoxConf? {
    var folders: [HostPath] = ["\(Self.cluster)/qemu-server"]
    if let source, Self.isNode(source) {
      folders.append("\(Self.cluster)/nodes/\(source)/qemu-server")
    }
    for folder in folders {
      let path: HostPath = "\(folder)/\(vmid).conf"
      let bytes = try kernel.ifPresent { () throws(HostError) in try kernel.bytes(of: path) }
      guard let bytes else { continue }
      seeing(bytes)
      return try ProxmoxConf(bytes, named: path.description, vmid: vmid)
    }
    return nil
  }

  /// Puts in what a configuration leaves to the host, and for a start that is to come (`foreseeing`) what the
  /// host makes Proxmox refuse; no more of it is read than that takes.
  package func settle(_ domain: inout Domain, foreseeing: Bool = true) throws -> [String] {
    guard let proxmox = domain.proxmox else { return [] }
    var warnings: [String] = []
    let offered = proxmox.hugepages == nil ? [] : try FactReader(kernel: kernel).pageSizes()
    var present: [PCIAddress] = []
    if !proxmox.devices.isEmpty {
      present = try kernel.entriesIfPresent(of: "/sys/bus/pci/devices")
        .compactMap { PCIAddress($0) }.sorted()
    }
    let mappings = try mappings(for: proxmox, &warnings)
    domain.settle(offering: offered, present: present, mappings: mappings?.alternatives ?? [:])
    warnings += Self.unread(proxmox, of: domain.name)
    if foreseeing {
      let refusals = ProxmoxRefusals(
        kernel: kernel, domain: domain, offered: offered, present: present, mappings: mappings)
      domain.proxmox?.refusals += try refusals.all()
    }
    return warnings
  }

  /// The storage that Berth's snippet is on.
  package func localStorage() throws(HostError) -> LocalStorage {
    let path: HostPath = "\(Self.cluster)/storage.cfg"
    let bytes = try kernel.ifPresent { () throws(HostError) in try kernel.bytes(of: path) }
    return bytes.map { LocalStorage($0) } ?? LocalStorage()
  }

  private func mappings(
    for proxmox: ProxmoxOptions, _ warnings: inout [String]
  ) throws -> PCIMappings? {
    let names = proxmox.mappings
    let path: HostPath = "\(Self.cluster)/mapping/pci.cfg"
    guard !names.isEmpty,
      let bytes = try kernel.ifPresent({ () throws(HostError) in try kernel.bytes(of: path) })
    else { return nil }
    let mappings = try PCIMappings(bytes, named: path.description, of: try kernel.nodeName())
    for name in names where (mappings.entries[name]?.count ?? 0) > 1 {
      warnings.append(
        "the mapping “\(name)” leaves Proxmox a choice, which it makes after this step: the "
          + "device that it takes is not given back")
    }
    return mappings
  }

  /// What QEMU is handed by `args` in a way that is not read.
  private static func unread(_ proxmox: ProxmoxOptions, of name: String) -> [String] {
    QEMUArguments(proxmox.arguments).devices.compactMap { device in
      guard case .unread(let text) = device else { return nil }
      return
        "“\(text.clipped(to: 60))” in args of \(name) is a device that is neither bound nor given back; "
        + "-device vfio-pci,host=0000:01:00.0 is read"
    }
  }

  /// Whether a text can be the name of a node, and so one component of a path.
  private static func isNode(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy { $0.isDigit || $0.isLetter || "-.".utf8.contains($0) }
  }
}

extension KernelReader {
  /// The name of this node, as mappings call it.
  func nodeName() throws(HostError) -> String {
    let name = try wordIfPresent(of: "/proc/sys/kernel/hostname") ?? ""
    return String(name.fields(at: ".").first ?? "")
  }
}
