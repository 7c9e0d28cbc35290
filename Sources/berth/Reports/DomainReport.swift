internal import HostModel

/// What Berth reads out of a domain's configuration: the answer of `berth inspect`.
struct DomainReport: Encodable {
  private let domain: Domain

  init(_ domain: Domain) { self.domain = domain }

  private enum Key: String, CodingKey {
    case source, name, id, vcpus, vcpupin, emulatorpin, iothreads, iothreadpin, cells, pci, cpuset
    case mapping, slots
  }

  func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: Key.self)
    try keys.encode(domain.hypervisor.rawValue, forKey: .source)
    try keys.encode(domain.name, forKey: .name)
    // Written out where they are missing, too: a null says that Berth looked.
    try keys.encode(domain.id, forKey: .id)
    try keys.encode(domain.vcpus, forKey: .vcpus)
    try keys.encode(lists(ownPins), forKey: .vcpupin)
    try keys.encode(domain.emulatorPin.map { "\($0)" }, forKey: .emulatorpin)
    try keys.encode(domain.iothreads, forKey: .iothreads)
    try keys.encode(lists(domain.iothreadPins), forKey: .iothreadpin)
    try keys.encode(domain.cells.map(CellReport.init), forKey: .cells)
    try keys.encode(functions, forKey: .pci)
    try keys.encode(commonPin.map { "\($0)" }, forKey: .cpuset)
    guard let proxmox = domain.proxmox else { return }
    try keys.encode(proxmox.mappings, forKey: .mapping)
    try keys.encode(proxmox.slots, forKey: .slots)
  }

  /// The pins that `vcpupin` gives, without that of `vcpu@cpuset`.
  private var ownPins: [Int: CPUList] {
    domain.vcpuPins.filter { !domain.vcpusPinnedTogether.contains($0.key) }
  }

  /// The CPUs of `vcpu@cpuset`, if a vCPU has only that; on Proxmox those of `affinity`.
  private var commonPin: CPUList? {
    if let proxmox = domain.proxmox { return proxmox.affinity }
    return domain.vcpusPinnedTogether.first.flatMap { domain.vcpuPins[$0] }
  }

  /// The functions that the configuration names one by one.
  private var functions: [FunctionReport] {
    guard let proxmox = domain.proxmox else { return domain.functions.map(FunctionReport.init) }
    return proxmox.devices.flatMap { device in
      device.selections.filter { $0.function != nil }.map { FunctionReport($0, of: device) }
    }
  }

  private func lists(_ pins: [Int: CPUList]) -> [String: String] {
    var lists: [String: String] = [:]
    for (number, cpus) in pins { lists["\(number)"] = "\(cpus)" }
    return lists
  }

  private struct CellReport: Encodable {
    let cell: GuestCell

    enum Key: String, CodingKey {
      case id, memoryKiB, pageKiB, hostNodes, mode
    }

    func encode(to encoder: any Encoder) throws {
      var keys = encoder.container(keyedBy: Key.self)
      try keys.encode(cell.id, forKey: .id)
      try keys.encode(cell.memoryKiB, forKey: .memoryKiB)
      try keys.encode(cell.pageKiB, forKey: .pageKiB)
      try keys.encode(cell.hostNodes.map { "\($0)" }, forKey: .hostNodes)
      try keys.encode(cell.mode?.rawValue, forKey: .mode)
    }
  }

  private struct FunctionReport: Encodable {
    var address: String
    var managed: Bool
    var kind: String
    /// The driver that the configuration names; missing where it names none.
    var driver: String?

    init(_ selection: PCISelection, of device: ProxmoxDevice) {
      address = "\(selection)"
      managed = !device.keepsDriver
      kind = device.kind.rawValue
    }

    init(_ function: PassedFunction) {
      address = "\(function.address)"
      managed = function.isManaged
      kind = function.kind.rawValue
      driver = function.driver
    }
  }
}

extension DomainReport {
  var lines: [Text] {
    var table = Table()
    table.append("source", Text(domain.hypervisor.rawValue))
    table.append("id", Text(domain.id ?? "none"))
    table.append("vCPUs", "\(domain.vcpus)\(pins(domain.vcpuPins))")
    table.append("emulator", Text(domain.emulatorPin.map { "on \($0)" } ?? "not pinned"))
    table.append("iothreads", "\(domain.iothreads)\(pins(domain.iothreadPins))")
    for cell in domain.cells { table.append("cell \(cell.id)", Text(sentence(about: cell))) }
    let hypervisor = domain.hypervisor == .libvirt ? "libvirt" : "Proxmox"
    for function in functions {
      let binder = function.managed ? hypervisor : "Berth"
      let binding =
        function.kind == PassedFunction.Kind.mdev.rawValue
        ? "kept by the host"
        : "bound by \(binder)" + (function.driver.map { " to \($0)" } ?? "")
      table.append(Text(function.kind), "\(function.address), \(binding)")
    }
    if let proxmox = domain.proxmox { appendOptions(proxmox, to: &table) }
    return [Text(domain.name, .bold)] + table.lines(indent: 2)
  }

  private func appendOptions(_ proxmox: ProxmoxOptions, to table: inout Table) {
    for slot in proxmox.slots { table.append("hostpci", "\(slot), all of its functions") }
    for name in proxmox.mappings {
      table.append("hostpci", "\(name), as the node's mapping says")
    }
    if let affinity = proxmox.affinity { table.append("affinity", Text("\(affinity)")) }
    if proxmox.keepsHugepages { table.append("huge pages", "kept when the machine is gone") }
    if let arguments = proxmox.arguments { table.append("args", Text(arguments)) }
    if let lock = proxmox.lock { table.append("lock", Text(lock)) }
    if proxmox.isTemplate { table.append("template", "yes") }
  }

  private func pins(_ pins: [Int: CPUList]) -> String {
    let list = pins.keys.sorted().map { "\($0)→\(pins[$0].map { "\($0)" } ?? "")" }
    return list.isEmpty ? ", not pinned" : ", pinned \(list.joined(separator: " "))"
  }

  private func sentence(about cell: GuestCell) -> String {
    var words = "\(cell.memoryKiB) KiB"
    switch cell.pageKiB {
    case nil: break
    case 0: words += " in huge pages of the host's default size"
    case let size?: words += " in pages of \(PageSize(kiB: size))"
    }
    if let nodes = cell.hostNodes { words += " on node \(nodes)" }
    if let mode = cell.mode { words += ", \(mode.rawValue)" }
    return words
  }
}

extension ProxmoxOptions {
  /// The slots of which every function is handed over.
  fileprivate var slots: [String] {
    devices.flatMap(\.selections).filter { $0.function == nil }.map { "\($0)" }
  }
}

extension ProxmoxDevice {
  /// What the configuration itself names of the device.
  fileprivate var selections: [PCISelection] {
    guard case .host(let selections) = source else { return [] }
    return selections
  }
}
