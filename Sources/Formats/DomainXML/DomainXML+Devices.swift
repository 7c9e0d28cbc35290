internal import HostModel

extension DomainXML {
  /// The PCI functions that one device hands to the domain.
  static func functions(
    of device: XMLElement
  ) throws(DomainXMLError) -> [PassedFunction] {
    switch (device.name, device["type"]) {
    case ("hostdev", "pci") where device["mode"] ?? "subsystem" == "subsystem":
      guard let address = device.element("source", "address") else {
        throw device.error("<hostdev> of a PCI function has no <address> in its <source>")
      }
      return [
        try function(
          address, .hostdev, isManaged: device.flag("managed") ?? false, driver: driver(of: device))
      ]
    case ("interface", "hostdev"):
      return try interface(device)
    case ("interface", "network"):
      // Only the status XML shows which function of a network's pool the interface got.
      guard let actual = device.element("actual"), actual["type"] == "hostdev" else { return [] }
      return try interface(actual)
    case ("disk", _):
      return try disk(device)
    default:
      return []
    }
  }

  private static func interface(
    _ device: XMLElement
  ) throws(DomainXMLError) -> [PassedFunction] {
    guard let address = device.element("source", "address") else {
      throw device.error("<\(device.name)> of type hostdev has no <address> in its <source>")
    }
    if address["type"] ?? "pci" != "pci" { return [] }
    return [
      try function(
        address, .interface, isManaged: device.flag("managed") ?? false, driver: driver(of: device))
    ]
  }

  /// The driver of the host that a device is to have (since libvirt 10.0); `name='vfio'` says no more than
  /// that it is one of VFIO's.
  private static func driver(of device: XMLElement) -> String? {
    device.element("driver")?["model"]
  }

  /// The UUID of a mediated device; nil for any other.
  static func mediatedDevice(_ device: XMLElement) -> String? {
    guard device.name == "hostdev", device["type"] == "mdev" else { return nil }
    return device.element("source", "address")?["uuid"].flatMap(VMReference.canonicalUUID)
  }

  /// The controllers of a disk and of the images that it stands on.
  ///
  /// Unlike a `<hostdev>`, such a disk is managed unless it says no
  /// (`virDomainDeviceDefPostParse…()` in src/conf/domain_postparse.c).
  private static func disk(_ disk: XMLElement) throws(DomainXMLError) -> [PassedFunction] {
    var functions: [PassedFunction] = []
    var image: XMLElement? = disk
    while let layer = image {
      if layer["type"] == "nvme", let source = layer.element("source") {
        guard let address = source.element("address") else {
          throw source.error("<source> of an NVMe disk has no <address>")
        }
        let isManaged = try source.flag("managed") ?? true
        functions.append(try function(address, .nvme, isManaged: isManaged))
      }
      image = layer.element("backingStore")
    }
    return functions
  }

  private static func function(
    _ address: XMLElement, _ kind: PassedFunction.Kind, isManaged: Bool, driver: String? = nil
  ) throws(DomainXMLError) -> PassedFunction {
    PassedFunction(
      address: try address.pciAddress(), isManaged: isManaged, kind: kind, driver: driver)
  }
}
