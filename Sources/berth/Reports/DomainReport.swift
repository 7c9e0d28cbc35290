internal import HostModel

/// What Berth reads out of a domain's configuration: the answer of `berth inspect`.
struct DomainReport: Encodable {
  private let domain: Domain

  init(_ domain: Domain) { self.domain = domain }

  private enum Key: String, CodingKey {
    case source, name, id, vcpus, vcpupin, emulatorpin, iothreads, iothreadpin, cells, pci, cpuset
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
    try keys.encode(domain.functions.map(FunctionReport.init), forKey: .pci)
    try keys.encode(commonPin.map { "\($0)" }, forKey: .cpuset)
  }

  /// The pins that `vcpupin` gives, without that of `vcpu@cpuset`.
  private var ownPins: [Int: CPUList] {
    domain.vcpuPins.filter { !domain.vcpusPinnedTogether.contains($0.key) }
  }

  /// The CPUs of `vcpu@cpuset`, if a vCPU has only that.
  private var commonPin: CPUList? {
    domain.vcpusPinnedTogether.first.flatMap { domain.vcpuPins[$0] }
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

    init(_ function: PassedFunction) {
      address = "\(function.address)"
      managed = function.isManaged
      kind = function.kind.rawValue
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
    for function in domain.functions {
      table.append(
        Text(function.kind.rawValue),
        "\(function.address)\(function.isManaged ? ", bound by libvirt" : ", bound by Berth")")
    }
    return [Text(domain.name, .bold)] + table.lines(indent: 2)
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
