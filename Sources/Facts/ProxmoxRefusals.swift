internal import Bytes
internal import Formats
internal import HostModel
internal import Port

/// What Proxmox refuses a start for because of the host (qemu-server 9.2.6).
///
/// Functions that are named by themselves and are not there are `PCIBinding`'s to tell of, whoever binds them.
struct ProxmoxRefusals {
  let kernel: any KernelReader
  let domain: Domain
  /// The sizes of huge pages, in KiB.
  let offered: [Int]
  let present: [PCIAddress]
  /// nil for a host without any mappings, and where none is asked for.
  let mappings: PCIMappings?

  private static let functions: HostPath = "/sys/bus/pci/devices"

  func all() throws(HostError) -> [ProxmoxRefusal] {
    guard let proxmox = domain.proxmox, !proxmox.isTemplate else { return [] }
    var refusals = try processors() + pages(proxmox) + nodes(proxmox)
    for device in proxmox.devices {
      switch device.source {
      case .host(let selections):
        refusals += slots(selections)
        refusals += try mediated(device, selections.flatMap { $0.functions(among: present) })
      case .mapping(let name): refusals += try mapping(name, of: device)
      }
    }
    refusals += try arguments(proxmox)
    return refusals
  }

  private var vmid: String { domain.id ?? "VMID" }

  // MARK: Processors and memory

  /// `config_to_command()` in src/PVE/QemuServer.pm, before `args` count.
  private func processors() throws(HostError) -> [ProxmoxRefusal] {
    guard let proxmox = domain.proxmox, proxmox.configuredVCPUs > 1,
      let online = try kernel.wordIfPresent(of: "/sys/devices/system/cpu/online"),
      let cpus = try? CPUList(parsing: online), !cpus.isEmpty, cpus.count < proxmox.configuredVCPUs
    else { return [] }
    return [
      ProxmoxRefusal(
        "MAX \(cpus.count) vcpus allowed per VM on this node",
        fix: "qm set \(vmid) --sockets 1 --cores \(cpus.count), or fewer")
    ]
  }

  /// `hugepages_size()` in src/PVE/QemuServer/Memory.pm.
  private func pages(_ proxmox: ProxmoxOptions) -> [ProxmoxRefusal] {
    guard let choice = proxmox.hugepages, !offered.isEmpty else { return [] }
    let known = offered.filter { $0 == 2048 || $0 == 1 << 20 }
    if known.isEmpty {
      let words = "your system doesn't support hugepages"
      return [ProxmoxRefusal(words, fix: "qm set \(vmid) --delete hugepages")]
    }
    switch choice {
    case .size(let kiB) where !known.contains(kiB):
      return [
        ProxmoxRefusal(
          "your system doesn't support hugepages of \(kiB >> 10) MB",
          fix: "qm set \(vmid) --hugepages any")
      ]
    case .any where !known.contains(2048):
      guard let part = proxmox.hugepageParts.first(where: { $0.sizeKiB % (1 << 20) != 0 }) else {
        return []
      }
      return [
        ProxmoxRefusal(
          "host only supports 1024 GB hugepages, but requested size '\(part.sizeKiB >> 10)' is not "
            + "a multiple of 1024 MB", fix: "give it memory in whole GiB")
      ]
    default: return []
    }
  }

  /// `print_numa_hostnodes()` in src/PVE/QemuServer/Memory.pm; of nodes for huge pages, the plan tells.
  private func nodes(_ proxmox: ProxmoxOptions) -> [ProxmoxRefusal] {
    guard proxmox.hugepages == nil else { return [] }
    let named = domain.cells.compactMap(\.hostNodes).reduce(CPUList()) { $0.union($1) }
    let folder: HostPath = "/sys/devices/system/node"
    // A kernel without NUMA has no nodes, and Proxmox no such kernel.
    guard !named.isEmpty, kernel.exists(folder) else { return [] }
    return named.filter { !kernel.exists("\(folder)/node\($0)") }.map { node in
      ProxmoxRefusal(
        "host NUMA node\(node) doesn't exist", fix: "name a node of this host in hostnodes=")
    }
  }

  // MARK: Devices

  /// `parse_hostpci()` in src/PVE/QemuServer/PCI.pm, of slots.
  private func slots(_ selections: [PCISelection]) -> [ProxmoxRefusal] {
    selections.filter { $0.function == nil && $0.functions(among: present).isEmpty }.map { slot in
      ProxmoxRefusal(
        "no PCI device found for '\(slot)'",
        fix: "name a device of this host: berth topology lists them", mayPass: true)
    }
  }

  /// `pci_create_mdev_device()` in src/PVE/QemuServer/PCI/Mdev.pm, of a host whose driver has
  /// types of mediated devices.
  private func mediated(
    _ device: ProxmoxDevice, _ functions: [PCIAddress]
  ) throws(HostError) -> [ProxmoxRefusal] {
    guard let type = device.mediatedType, let function = functions.first,
      present.contains(function)
    else { return [] }
    let folder: HostPath = "\(Self.functions)/\(function)"
    // NVIDIA's own way, of which only its library tells what there is.
    if kernel.exists("\(folder)/nvidia") { return [] }
    let types: HostPath = "\(folder)/mdev_supported_types"
    func refusal(_ words: String, _ fix: String) -> [ProxmoxRefusal] {
      [ProxmoxRefusal(words, fix: fix, mayPass: true)]
    }
    guard kernel.exists(types) else {
      return refusal(
        "pci device '\(function)' does not support mediated devices",
        "load the driver that makes them, or take mdev= out of hostpci\(device.number)")
    }
    let name: HostPath = "\(types)/\(type)"
    guard kernel.exists(name) else {
      let known = try kernel.entriesIfPresent(of: types).sorted().joined(separator: ", ")
      return refusal(
        "pci device '\(function)' has no type '\(type)'",
        "mdev= in hostpci\(device.number) may be \(known.isEmpty ? "none" : known)")
    }
    if try kernel.wordIfPresent(of: "\(name)/available_instances") == "0" {
      return refusal(
        "pci device '\(function)' has no available instances of '\(type)'",
        "stop a VM that uses one, or name another type")
    }
    return []
  }

  private func mapping(
    _ name: String, of device: ProxmoxDevice
  ) throws(HostError) -> [ProxmoxRefusal] {
    let entries = mappings?.entries[name] ?? []
    guard !entries.isEmpty else {
      let fix =
        mappings?.entries[name] == nil
        ? "make the mapping, or put the device itself into hostpci\(device.number)"
        : "add a map line with node=\(try kernel.nodeName()) to it in /etc/pve/mapping/pci.cfg"
      return [
        ProxmoxRefusal(
          "PCI device mapping not found for '\(name)'", fix: fix)
      ]
    }
    var refusals: [ProxmoxRefusal] = []
    for entry in entries {
      if let refusal = try change(of: entry, of: name) { refusals.append(refusal) }
    }
    if refusals.isEmpty, entries.count == 1 {
      refusals += try mediated(
        device, entries[0].selections.flatMap { $0.functions(among: present) })
    }
    return refusals
  }

  /// The first thing that is not as a mapping says (`assert_valid()` in src/PVE/Mapping/PCI.pm of
  /// pve-guest-common).
  private func change(
    of entry: PCIMappings.Entry, of name: String
  ) throws(HostError) -> ProxmoxRefusal? {
    func refusal(_ words: String, _ fix: String, mayPass: Bool = false) -> ProxmoxRefusal {
      ProxmoxRefusal(
        "PCI device mapping invalid (hardware probably changed): \(words)", fix: fix,
        mayPass: mayPass)
    }
    for (index, path) in entry.paths.enumerated() {
      let place = path.has(".") ? path : path + ".0"
      guard let function = PCIAddress(place), present.contains(function) else {
        return refusal(
          "pci device '\(place)' not found",
          "name a device of this host in path= of the mapping: berth topology lists them",
          mayPass: true)
      }
      let found = try identity(of: function)
      let fix =
        "in /etc/pve/mapping/pci.cfg under \(name), if that is the device: map "
        + Self.line(found, try kernel.nodeName(), entry.paths)
      let keys = index == 0 ? ["id", "iommugroup", "subsystem-id"] : ["id", "subsystem-id"]
      for key in keys {
        switch (found[key], entry.expected[key]) {
        case (let actual?, let expected?) where actual != expected.replaced("0x", by: ""):
          return refusal(
            "'\(key)' does not match for '\(name)' (\(actual) != \(expected))", fix)
        case (.some, nil):
          return refusal("missing expected property '\(key)' for device '\(place)'", fix)
        case (nil, .some):
          return refusal("unexpected property '\(key)' configured for device '\(place)'", fix)
        default: continue
        }
      }
      let makes =
        kernel.exists("\(Self.functions)/\(function)/mdev_supported_types")
        || kernel.exists("\(Self.functions)/\(function)/nvidia")
      if makes != (mappings?.mediated.contains(name) ?? false) {
        return refusal(
          "'mdev' does not match for '\(name)' (\(makes ? 1 : 0) != \(makes ? 0 : 1))",
          "pvesh set /cluster/mapping/pci/\(name) --mdev \(makes ? 1 : 0)", mayPass: true)
      }
    }
    return nil
  }

  /// What a function is, by the keys of a mapping.
  private func identity(of function: PCIAddress) throws(HostError) -> [String: String] {
    let folder: HostPath = "\(Self.functions)/\(function)"
    func word(_ name: String) throws(HostError) -> String? {
      try kernel.wordIfPresent(of: "\(folder)/\(name)")?.replaced("0x", by: "")
    }
    var identity: [String: String] = [:]
    if let vendor = try word("vendor"), let device = try word("device") {
      identity["id"] = "\(vendor):\(device)"
    }
    if let vendor = try word("subsystem_vendor"), let device = try word("subsystem_device") {
      identity["subsystem-id"] = "\(vendor):\(device)"
    }
    if kernel.exists("\(folder)/iommu_group") {
      identity["iommugroup"] = try kernel.target(of: "\(folder)/iommu_group")
    }
    return identity
  }

  private static func line(_ found: [String: String], _ node: String, _ paths: [String]) -> String {
    let keys = ["id", "iommugroup"].compactMap { key in found[key].map { "\(key)=\($0)" } }
    let subsystem = found["subsystem-id"].map { ["subsystem-id=\($0)"] } ?? []
    return (keys + ["node=\(node)", "path=\(paths.joined(separator: ";"))"] + subsystem)
      .joined(separator: ",")
  }

  // MARK: args

  /// A mediated device that `args` names is made by nobody.
  private func arguments(_ proxmox: ProxmoxOptions) throws(HostError) -> [ProxmoxRefusal] {
    QEMUArguments(proxmox.arguments).devices.compactMap { device in
      guard case .mediated(let uuid) = device else { return nil }
      let place: HostPath = "/sys/bus/mdev/devices/\(uuid)"
      if kernel.exists(place) { return nil }
      return ProxmoxRefusal(
        "vfio \(place): no such host device", by: .qemu,
        fix: "make it before (mdevctl start), or name its type by mdev= in a hostpci line",
        mayPass: true)
    }
  }
}
