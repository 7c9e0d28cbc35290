import HostModel

/// Which driver has a PCI function: `unbind`, `bind`, `drivers_probe`.
///
/// - `unbind` of a driver that does not have the function is `ENODEV`.
/// - `bind` is `EBUSY` while a driver has the function, and `ENODEV` where the driver is not the
///   one that the override names, or without an override not one for this device.
/// - `drivers_probe` is `ENODEV` for an address without a function. It succeeds whether or not a
///   driver took the function; a function that has one keeps it.
struct BindingManners: KernelManners {
  private static let bus = "/sys/bus/pci"

  func apply(to path: String) -> Bool {
    path == "\(Self.bus)/drivers_probe"
      || path.hasPrefix("\(Self.bus)/drivers/")
        && (path.hasSuffix("/bind") || path.hasSuffix("/unbind"))
  }

  func write(_ text: String, to path: String, in tree: RecordedTree) throws(HostError) {
    let device = "\(Self.bus)/devices/\(text.trimmed)"
    guard let address = PCIAddress(text.trimmed), tree.exists(device) else {
      throw refusal(of: text, at: path, .noDevice)
    }
    let current = try driver(of: device, in: tree)
    if path.hasSuffix("/drivers_probe") {
      guard current == nil, let name = try choice(for: device, in: tree),
        tree.exists("\(Self.bus)/drivers/\(name)")
      else { return }
      return try attach(address, to: name, in: tree)
    }

    let parts = path.split(separator: "/")
    let name = String(parts[parts.count - 2])
    if parts.last == "unbind" {
      if current != name { throw refusal(of: text, at: path, .noDevice) }
      return try detach(address, from: name, in: tree)
    }
    if current != nil { throw refusal(of: text, at: path, .busy) }
    if try choice(for: device, in: tree) != name { throw refusal(of: text, at: path, .noDevice) }
    try attach(address, to: name, in: tree)
  }

  private func driver(of device: String, in tree: RecordedTree) throws(HostError) -> String? {
    guard tree.exists("\(device)/driver") else { return nil }
    return try tree.destination(of: "\(device)/driver").split(separator: "/").last.map(String.init)
  }

  /// The driver that takes the function: the one its override names, else the one for its device.
  private func choice(for device: String, in tree: RecordedTree) throws(HostError) -> String? {
    let override = try tree.text(of: "\(device)/driver_override").trimmed
    if override != "(null)" && !override.isEmpty { return override }
    return try RecordedLimits(of: tree).value("driver", of: device)
  }

  private func attach(
    _ address: PCIAddress, to driver: String, in tree: RecordedTree
  ) throws(HostError) {
    let place = try tree.resolved("\(Self.bus)/devices/\(address)", for: .write)
    let up = String(repeating: "../", count: place.split(separator: "/").count - 1)
    try tree.link("\(place)/driver", to: "\(up)bus/pci/drivers/\(driver)")
    try tree.link(
      "\(Self.bus)/drivers/\(driver)/\(address)", to: "../../../.." + place.dropFirst("/sys".count))
    try move(children: .back, of: place, address, driver, in: tree)
  }

  private func detach(
    _ address: PCIAddress, from driver: String, in tree: RecordedTree
  ) throws(HostError) {
    let place = try tree.resolved("\(Self.bus)/devices/\(address)", for: .write)
    try tree.remove("\(place)/driver")
    try tree.remove("\(Self.bus)/drivers/\(driver)/\(address)")
    try move(children: .away, of: place, address, driver, in: tree)
  }

  private enum Direction { case away, back }

  /// The interfaces, disks and screens of a function come and go with the driver that makes them.
  private func move(
    children direction: Direction, of place: String, _ address: PCIAddress, _ driver: String,
    in tree: RecordedTree
  ) throws(HostError) {
    for name in ["net", "nvme", "drm"] {
      let child = "\(place)/\(name)"
      let shelf = "/recorded/unbound/\(address)/\(driver)/\(name)"
      switch direction {
      case .away: try tree.move(child, to: shelf)
      case .back: try tree.move(shelf, to: child)
      }
    }
  }
}
