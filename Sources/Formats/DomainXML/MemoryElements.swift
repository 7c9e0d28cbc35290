internal import HostModel

/// The elements that say how much memory a domain has, in which pages, and from which nodes.
struct MemoryElements {
  private let domain: XMLElement
  private let cellElements: [XMLElement]
  private let deviceElements: [XMLElement]
  private let pages: HugepageElements
  private var memnodes: [Int: Placement] = [:]
  /// What `<numatune><memory>` says, for all that has no `<memnode>`.
  private var placement = Placement()

  /// Where memory is to come from.
  struct Placement {
    var nodes: CPUList?
    var mode: MemoryMode?
  }

  init(_ domain: XMLElement) throws(DomainXMLError) {
    self.domain = domain
    cellElements = domain.element("cpu", "numa")?.elements("cell") ?? []
    deviceElements = domain.elements("devices", "memory")
    pages = try HugepageElements(domain, cells: cellElements.count)
    placement = try Self.placement(domain)
    for element in domain.elements("numatune", "memnode") {
      _ = try element.required("cellid")
      _ = try element.required("nodeset")
      let cell = try element.number("cellid") ?? 0
      let memnode = Placement(nodes: try element.cpus("nodeset"), mode: try Self.mode(element))
      if memnodes.updateValue(memnode, forKey: cell) != nil {
        throw element.error("cell \(cell) has two <memnode>")
      }
    }
  }

  /// The placement of all memory.
  ///
  /// With `placement="auto"` libvirt asks numad for the nodes at each start, so that they are not
  /// known here.
  private static func placement(_ domain: XMLElement) throws(DomainXMLError) -> Placement {
    guard let memory = domain.element("numatune", "memory"),
      memory["mode"] != nil || memory["nodeset"] != nil || memory["placement"] != nil
    else { return Placement() }
    let nodes = try memory.cpus("nodeset")
    let mode = try mode(memory)
    switch memory["placement"] {
    case nil, "static": return Placement(nodes: nodes, mode: mode)
    case "auto": return Placement(nodes: nil, mode: mode)
    case let value?:
      throw memory.error("placement= of <memory> is \(quoted(value)), not “static” or “auto”")
    }
  }

  private static func mode(_ element: XMLElement) throws(DomainXMLError) -> MemoryMode {
    guard let word = element["mode"] else { return .strict }
    guard let mode = MemoryMode(rawValue: word), mode != .bind else {
      throw element.error("mode= of <\(element.name)> is \(quoted(word)), not a mode of libvirt's")
    }
    return mode
  }

  private func placement(ofCell cell: Int?) -> Placement {
    cell.flatMap { memnodes[$0] } ?? placement
  }

  /// The guest's NUMA cells; without any, one that holds all boot memory.
  func cells() throws(DomainXMLError) -> [GuestCell] {
    if cellElements.isEmpty {
      return [
        GuestCell(
          id: 0, memoryKiB: try bootMemoryKiB(), pageKiB: pages.pageKiB(ofCell: nil),
          hostNodes: placement.nodes, mode: placement.mode)
      ]
    }
    var cells: [Int: GuestCell] = [:]
    for (index, element) in cellElements.enumerated() {
      // Cells without an id are numbered by their place.
      let id = try element.number("id") ?? index
      if id >= cellElements.count {
        throw element.error("cell \(id) is one of \(cellElements.count), which are counted from 0")
      }
      _ = try element.required("memory")
      let place = placement(ofCell: id)
      let cell = GuestCell(
        id: id, memoryKiB: try element.memoryKiB("memory") ?? 0,
        pageKiB: pages.pageKiB(ofCell: id), hostNodes: place.nodes, mode: place.mode)
      if cells.updateValue(cell, forKey: id) != nil { throw element.error("two cells are \(id)") }
    }
    return cells.values.sorted { $0.id < $1.id }
  }

  /// `<memory>` less the memory devices, which it includes (`virDomainDefGetMemoryInitial()`).
  private func bootMemoryKiB() throws(DomainXMLError) -> Int {
    guard let element = domain.element("memory") else { return 0 }
    var memoryKiB = try element.memoryKiB()
    for device in deviceElements {
      memoryKiB -= try Self.sizeKiB(of: device)
      if memoryKiB < 0 { throw element.error("<memory> is less than the memory devices together") }
    }
    return memoryKiB
  }

  /// The memory devices whose memory comes from the host's; an NVDIMM's comes from a file.
  func devices() throws(DomainXMLError) -> [MemoryDevice] {
    var devices: [MemoryDevice] = []
    for element in deviceElements {
      let model = try element.required("model")
      let source = element.element("source")
      let cell = try element.element("target", "node")?.number()
      // Its own nodes, and the mode of its cell's (src/qemu/qemu_command.c,
      // `qemuBuildMemoryBackendProps()`).
      var place = placement(ofCell: cell)
      if let own = try source?.element("nodemask")?.cpus() { place.nodes = own }
      var sizeKiB = try Self.sizeKiB(of: element)
      switch model {
      case "dimm": break
      case "virtio-mem":
        // The size is what the device could give; what it takes at the start is what is requested.
        sizeKiB = try element.element("target", "requested")?.memoryKiB() ?? sizeKiB
      default: continue
      }
      let ownPageKiB = try source?.element("pagesize")?.memoryKiB() ?? 0
      let pageKiB =
        ownPageKiB == 0
        ? pages.pageKiB(ofCell: cell) : HugepageElements.huge(ownPageKiB)
      devices.append(
        MemoryDevice(sizeKiB: sizeKiB, pageKiB: pageKiB, hostNodes: place.nodes, mode: place.mode))
    }
    return devices
  }

  private static func sizeKiB(of device: XMLElement) throws(DomainXMLError) -> Int {
    guard let size = device.element("target", "size") else {
      throw device.error("<memory> device has no <size> in its <target>")
    }
    return try size.memoryKiB()
  }
}
