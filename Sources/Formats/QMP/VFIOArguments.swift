internal import Bytes
package import HostModel

/// What arguments that QEMU is started with hand it of the host's devices.
///
/// That is `-device` with a driver of VFIO's, in QEMU's own spelling (`vfio-pci,host=01:00.0`) or as JSON
/// (qemu(1); hw/vfio/pci.c, `vfio_pci_dev_properties`).
package struct VFIOArguments {
  package private(set) var functions: [PCIAddress] = []
  /// The UUIDs of mediated devices.
  package private(set) var mediatedDevices: [String] = []

  package init(_ arguments: [String]) {
    for (option, value) in zip(arguments, arguments.dropFirst())
    where option == "-device" || option == "--device" {
      note(Self.properties(of: value))
    }
  }

  private mutating func note(_ properties: [String: String]) {
    guard ["vfio-pci", "vfio-pci-nohotplug"].contains(properties["driver"]) else { return }
    let device = properties["sysfsdev"]?.fields(at: "/").last.map(String.init)
    let host = properties["host"]
    if let address = (device ?? host).flatMap({ PCIAddress($0) }) {
      if !functions.contains(address) { functions.append(address) }
    } else if let uuid = device.flatMap(VMReference.canonicalUUID) {
      mediatedDevices.append(uuid)
    }
  }

  /// The properties of a device; those of its first part, which may do without a name, are its driver.
  private static func properties(of value: String) -> [String: String] {
    var properties: [String: String] = [:]
    if value.begins(with: "{") {
      guard case .object(let members)? = try? JSONReader.value(of: Array(value.utf8)) else {
        return [:]
      }
      for (key, member) in members { properties[key] = member.string }
      return properties
    }
    for (index, part) in value.fields(at: ",").enumerated() {
      if let (key, text) = part.cut(at: "=") {
        properties[String(key)] = String(text)
      } else if index == 0 {
        properties["driver"] = String(part)
      }
    }
    return properties
  }
}

extension VFIOArguments {
  /// The same devices as arguments, and nothing else of what they were read from.
  package var redacted: [String] {
    functions.flatMap { ["-device", "vfio-pci,host=\($0)"] }
      + mediatedDevices.flatMap { ["-device", "vfio-pci,sysfsdev=/sys/bus/mdev/devices/\($0)"] }
  }
}
