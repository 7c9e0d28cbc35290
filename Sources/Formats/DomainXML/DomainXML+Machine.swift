internal import Bytes
package import HostModel

extension DomainXML {
  /// The hardware that an XML gives its guest.
  ///
  /// Whoever plans has no use for it: it is read beside the domain, by those who look a
  /// configuration over.
  package static func machine(from bytes: [UInt8]) throws(DomainXMLError) -> GuestMachine {
    let domain = try element(from: bytes, keeping: isOfMachine)
    var machine = GuestMachine()
    machine.type = domain.element("os", "type")?["machine"]
    try readCPU(domain, into: &machine)
    readEnlightenments(domain, into: &machine)
    let backing = domain.element("memoryBacking")
    machine.usesMemfd = backing?.element("source")?["type"] == "memfd"
    machine.locksMemory = backing?.element("locked") != nil
    try readBuses(domain, into: &machine)
    machine.disks = disks(domain)
    return machine
  }

  /// Whether the element at the end of a path of names says anything of the guest's hardware.
  package static func isOfMachine(_ path: ArraySlice<String>, _ namespace: String) -> Bool {
    let names = Array(path)
    guard names.first == "domain", names.count > 1 else { return names.first == "domain" }
    switch names[1] {
    case "devices":
      return names.count == 2
        || ["hostdev", "interface", "disk", "controller"].contains(names[2])
    case "metadata": return names.count == 2 || namespace == osinfo
    case "os", "features", "clock", "cpu", "memoryBacking": return true
    default: return false
    }
  }

  private static func readCPU(
    _ domain: XMLElement, into machine: inout GuestMachine
  ) throws(DomainXMLError) {
    if let topology = domain.element("cpu", "topology") {
      machine.topology = GuestTopology(
        sockets: try topology.number("sockets") ?? 1, dies: try topology.number("dies") ?? 1,
        cores: (try topology.number("cores") ?? 1) * (try topology.number("clusters") ?? 1),
        threads: try topology.number("threads") ?? 1)
    }
    machine.cpuFeatures = domain.elements("cpu", "feature")
      .filter { ["require", "force", nil].contains($0["policy"]) }.compactMap { $0["name"] }
  }

  /// The namespace in which tools of libvirt's write which system a guest runs.
  package static let osinfo = "http://libosinfo.org/xmlns/libvirt/domain/1.0"

  private static func readEnlightenments(
    _ domain: XMLElement, into machine: inout GuestMachine
  ) {
    let systems = domain.elements("metadata").flatMap(\.children)
      .filter { $0.namespace == osinfo }.flatMap(\.children).compactMap { $0["id"] }
    let hyperv = domain.element("features", "hyperv")
    machine.isWindows = systems.contains { $0.has(text: "microsoft.com/win") } || hyperv != nil
    machine.enlightenments.areAllOn = hyperv?["mode"] == "passthrough"
    machine.enlightenments.names = Set(
      (hyperv?.children ?? []).filter { $0["state"] == "on" }.map(\.name))
    machine.enlightenments.hasClock = domain.elements("clock", "timer").contains { timer in
      timer["name"] == "hypervclock" && timer["present"] != "no"
    }
  }

  private static func readBuses(
    _ domain: XMLElement, into machine: inout GuestMachine
  ) throws(DomainXMLError) {
    for controller in domain.elements("devices", "controller") where controller["type"] == "pci" {
      guard let index = try controller.number("index") else { continue }
      machine.buses[index] = controller["model"]
    }
    for device in domain.elements("devices").flatMap(\.children) {
      guard let function = try functions(of: device).first, let address = device.element("address"),
        address["type"] == "pci"
      else { continue }
      machine.places[function.address] = .bus(try address.pciAddress().bus)
    }
  }

  private static func disks(_ domain: XMLElement) -> [GuestDisk] {
    let controllers = domain.elements("devices", "controller").filter { $0["type"] == "scsi" }
    return domain.elements("devices", "disk").compactMap { disk in
      guard ["disk", "lun", nil].contains(disk["device"]), let target = disk.element("target")
      else { return nil }
      let name = target["dev"] ?? "disk"
      switch target["bus"] {
      case "virtio":
        return GuestDisk(name: name, canHaveIOThread: true, hasIOThread: hasIOThread(disk))
      case "scsi":
        let index = disk.element("address")?["controller"] ?? "0"
        let controller = controllers.first { ($0["index"] ?? "0") == index }
        let isVirtio = controller?["model"]?.begins(with: "virtio") ?? false
        return GuestDisk(
          name: name, canHaveIOThread: isVirtio, hasIOThread: controller.map(hasIOThread) ?? false)
      default: return GuestDisk(name: name, canHaveIOThread: false, hasIOThread: false)
      }
    }
  }

  /// By `iothread=` of its driver, or by the list of several (libvirt 10.0 and later).
  private static func hasIOThread(_ device: XMLElement) -> Bool {
    let driver = device.element("driver")
    return driver?["iothread"] != nil || driver?.element("iothreads", "iothread") != nil
  }
}
