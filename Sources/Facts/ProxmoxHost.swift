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

  /// Puts in what a configuration leaves to the host, and reads no more of it than that takes.
  package func settle(_ domain: inout Domain) throws -> [String] {
    guard let proxmox = domain.proxmox else { return [] }
    var warnings: [String] = []
    let offered = proxmox.hugepages == nil ? [] : try FactReader(kernel: kernel).pageSizes()
    var present: [PCIAddress] = []
    if !proxmox.devices.isEmpty {
      present = try kernel.entriesIfPresent(of: "/sys/bus/pci/devices")
        .compactMap { PCIAddress($0) }.sorted()
    }
    let mappings = try mappings(for: proxmox, &warnings)
    domain.settle(offering: offered, present: present, mappings: mappings)
    return warnings
  }

  private func mappings(
    for proxmox: ProxmoxOptions, _ warnings: inout [String]
  ) throws -> [String: [[PCISelection]]] {
    let names = proxmox.mappings
    let path: HostPath = "\(Self.cluster)/mapping/pci.cfg"
    guard !names.isEmpty,
      let bytes = try kernel.ifPresent({ () throws(HostError) in try kernel.bytes(of: path) })
    else { return [:] }
    let node = try kernel.word(of: "/proc/sys/kernel/hostname").fields(at: ".").first ?? ""
    let mappings = try PCIMappings(bytes, named: path.description, of: String(node))
    for name in names where (mappings.alternatives[name]?.count ?? 0) > 1 {
      warnings.append(
        "the mapping “\(name)” leaves Proxmox a choice, which it makes after this step: the "
          + "device that it takes is not given back")
    }
    return mappings.alternatives
  }

  /// Whether a text can be the name of a node, and so one component of a path.
  private static func isNode(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy { $0.isDigit || $0.isLetter || "-.".utf8.contains($0) }
  }
}

extension ProxmoxOptions {
  /// Whether the domain runs for a backup only, frozen and for as long as that takes: there is
  /// nothing to make ready for it.
  package var runsForBackup: Bool { isTemplate || lock == "backup" }
}
