internal import Bytes
import HostModel

/// Functions that are taken off the bus and found again: `remove` of a function, `rescan` of a bus.
///
/// One that is found again has no `driver_override`, what could be set in its folder is as at first,
/// and the driver that takes it by itself has it (drivers/pci/pci-sysfs.c, drivers/pci/probe.c).
struct RescanManners: KernelManners {
  private static let devices: HostPath = "/sys/bus/pci/devices"
  private static let shelf: HostPath = "/recorded/removed"

  func apply(to path: HostPath) -> Bool {
    path.ends(with: "/rescan") && path.parent.parent.ends(with: "/pci_bus")
      || path.ends(with: "/remove") && path.starts(with: "/sys/devices/pci")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    guard text.trimmed == "1" else { throw refusal(of: text, at: path, .invalid) }
    let owner = path.parent.name
    if path.ends(with: "/remove"), let address = PCIAddress(owner) {
      return try remove(address, in: tree)
    }
    guard tree.exists(Self.shelf) else { return }
    for name in try tree.entries(of: Self.shelf) {
      guard let address = PCIAddress(name), PCISlot(of: address).busName == owner else { continue }
      try find(address, in: tree)
    }
  }

  private func remove(_ address: PCIAddress, in tree: RecordedTree) throws(HostError) {
    let place = try tree.resolved("\(Self.devices)/\(address)", for: .write)
    if tree.exists("\(place)/driver") {
      let driver = try tree.resolved("\(place)/driver", for: .write)
      try BindingManners().write("\(address)", to: "\(driver)/unbind", in: tree)
    }
    try tree.create("\(place)\n", at: "\(Self.shelf)/\(address)/place")
    try tree.move(place, to: "\(Self.shelf)/\(address)/folder")
    try tree.remove("\(Self.devices)/\(address)")
  }

  private func find(_ address: PCIAddress, in tree: RecordedTree) throws(HostError) {
    let place = HostPath(foreign: try tree.text(of: "\(Self.shelf)/\(address)/place").trimmed)
    try tree.move("\(Self.shelf)/\(address)/folder", to: place)
    try tree.remove("\(Self.shelf)/\(address)")
    try tree.link("\(Self.devices)/\(address)", to: "../../../\(place.below("/sys"))")
    try tree.replace("(null)\n", at: "\(place)/driver_override")
    if tree.exists("\(place)/d3cold_allowed") {
      try tree.replace("1\n", at: "\(place)/d3cold_allowed")
    }
    try BindingManners().write("\(address)", to: "/sys/bus/pci/drivers_probe", in: tree)
  }
}
