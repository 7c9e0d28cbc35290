internal import Bytes
package import HostModel
package import Port

/// Reads the virtual functions of physical ones out of sysfs.
package struct VirtualFunctionReader {
  let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  private static let devices: HostPath = "/sys/bus/pci/devices"

  /// A physical function by its PCI address or by the name of its interface; nil where the host has
  /// no such function.
  func physical(named name: String) throws(HostError) -> PCIAddress? {
    if let address = PCIAddress(name) {
      return kernel.exists("\(Self.devices)/\(address)") ? address : nil
    }
    return try kernel.target(of: "/sys/class/net/\(name)/device").flatMap { PCIAddress($0) }
  }

  /// A virtual function by its own address, or by its physical one and its number there:
  /// `enp7s0f1/1`; nil where the host has none of that name.
  func virtual(named name: String) throws(HostError) -> VirtualFunction? {
    if let address = PCIAddress(name) {
      guard
        let parent = try kernel.target(of: "\(Self.devices)/\(address)/physfn")
          .flatMap({ PCIAddress($0) }),
        let index = try functions(of: parent).firstIndex(of: address)
      else { return nil }
      return VirtualFunction(of: parent, index: index)
    }
    let parts = name.fields(at: "/")
    guard parts.count == 2, let index = Int(parts[1]),
      let parent = try physical(named: String(parts[0])),
      try functions(of: parent).indices.contains(index)
    else { return nil }
    return VirtualFunction(of: parent, index: index)
  }

  /// The virtual functions of a physical one, in the order of their numbers.
  package func functions(of parent: PCIAddress) throws(HostError) -> [PCIAddress] {
    let folder: HostPath = "\(Self.devices)/\(parent)"
    var found: [(index: Int, address: PCIAddress)] = []
    for entry in try kernel.entriesIfPresent(of: folder) {
      guard let index = Quantity.virtualFunctions.number(in: entry, after: "virtfn"),
        let address = try kernel.target(of: "\(folder)/\(entry)").flatMap({ PCIAddress($0) })
      else { continue }
      found.append((index, address))
    }
    return found.sorted { $0.index < $1.index }.map(\.address)
  }

  /// How the virtual functions of a physical one are used, each as a phrase.
  ///
  /// One on a VFIO driver counts as used, also before a virtual machine has it open: it was put there
  /// for one.
  package func uses(of parent: PCIAddress) throws(HostError) -> [String] {
    var uses: [String] = []
    for address in try functions(of: parent) {
      let folder: HostPath = "\(Self.devices)/\(address)"
      if let driver = try kernel.target(of: "\(folder)/driver"), driver.has(text: "vfio") {
        uses.append("\(address) is bound to \(driver)")
      }
      for name in try kernel.entriesIfPresent(of: "\(folder)/net")
      where try kernel.isUp(interface: name) {
        uses.append("the interface \(name) of \(address) is up")
      }
    }
    return uses
  }
}

extension KernelReader {
  /// Whether an interface is switched on (`IFF_UP` of <net/if.h>).
  func isUp(interface: String) throws(HostError) -> Bool {
    let flags = try wordIfPresent(of: "/sys/class/net/\(interface)/flags") ?? ""
    return (flags.rest(after: "0x").flatMap { Int($0, radix: 16) } ?? 0) & 1 != 0
  }
}
