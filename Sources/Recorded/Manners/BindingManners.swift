internal import Bytes
import HostModel

/// Which driver has a device of a bus: `unbind`, `bind`, `drivers_probe`.
///
/// - `unbind` of a driver that does not have the device is `ENODEV`.
/// - `bind` is `EBUSY` while a driver has the device, and `ENODEV` where the driver is not the one
///   that the override names, or without an override not one for this device.
/// - `drivers_probe` is `ENODEV` for a name without a device. It succeeds whether or not a driver
///   took the device; a device that has one keeps it.
/// - A VFIO driver lets its function sleep, and forbids it when it leaves. From the display that the
///   firmware booted with it has the kernel take away what the firmware left there
///   (drivers/vfio/pci/vfio_pci_core.c, drivers/video/aperture.c).
struct BindingManners: KernelManners {
  private static let buses: [HostPath] = ["/sys/bus/pci", "/sys/bus/platform"]

  func apply(to path: HostPath) -> Bool {
    Self.buses.contains { bus in
      path == "\(bus)/drivers_probe"
        || path.begins(with: "\(bus)/drivers")
          && (path.ends(with: "/bind") || path.ends(with: "/unbind"))
    }
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    guard let bus = Self.buses.first(where: path.begins) else { return }
    let name = text.trimmed
    guard tree.exists("\(bus)/devices/\(name)") else {
      throw refusal(of: text, at: path, .noDevice)
    }
    let device = BusDevice(tree: tree, bus: bus, name: name)
    let current = try device.driver()
    if path.ends(with: "/drivers_probe") {
      guard current == nil, let driver = try device.choice(),
        tree.exists("\(bus)/drivers/\(driver)")
      else { return }
      return try device.attach(to: driver)
    }

    let driver = path.parent.name
    if path.ends(with: "/unbind") {
      if current != driver { throw refusal(of: text, at: path, .noDevice) }
      return try device.detach(from: driver)
    }
    if current != nil { throw refusal(of: text, at: path, .busy) }
    if try device.choice() != driver { throw refusal(of: text, at: path, .noDevice) }
    try device.attach(to: driver)
  }
}

/// A device of a recorded host's bus, which comes to drivers and leaves them.
struct BusDevice {
  let tree: RecordedTree
  /// The folder of the bus.
  let bus: HostPath
  let name: String

  private var folder: HostPath { "\(bus)/devices/\(name)" }

  func driver() throws(HostError) -> String? {
    guard tree.exists("\(folder)/driver") else { return nil }
    return try tree.destination(of: "\(folder)/driver").fields(at: "/").last.map(String.init)
  }

  /// The driver that takes the device: the one its override names, else the one for it.
  func choice() throws(HostError) -> String? {
    let override = try tree.text(of: "\(folder)/driver_override").trimmed
    if override != "(null)" && !override.isEmpty { return override }
    return try RecordedLimits(of: tree).value("driver", of: folder)
  }

  func attach(to driver: String) throws(HostError) {
    let place = try tree.resolved(folder, for: .write)
    let up = String(repeating: "../", count: place.components.count - 1)
    try tree.link("\(place)/driver", to: "\(up)\(bus.below("/sys"))/drivers/\(driver)")
    try tree.link(
      "\(bus)/drivers/\(driver)/\(name)", to: "../../../../\(place.below("/sys"))")
    try move(children: .back, of: place, driver)
    if driver == "vfio-pci" { try enterVFIO() }
  }

  func detach(from driver: String) throws(HostError) {
    let place = try tree.resolved(folder, for: .write)
    try tree.remove("\(place)/driver")
    try tree.remove("\(bus)/drivers/\(driver)/\(name)")
    try move(children: .away, of: place, driver)
    if driver == "vfio-pci" { try sleeps("on") }
  }

  private func enterVFIO() throws(HostError) {
    try sleeps("auto")
    guard tree.exists("\(folder)/boot_vga"), try tree.text(of: "\(folder)/boot_vga").trimmed == "1"
    else { return }
    for kind in ["efi-framebuffer", "simple-framebuffer", "vesa-framebuffer"] {
      let link: HostPath = "/sys/bus/platform/devices/\(kind).0"
      guard tree.exists(link) else { continue }
      let framebuffer = BusDevice(tree: tree, bus: "/sys/bus/platform", name: "\(kind).0")
      if let driver = try framebuffer.driver() { try framebuffer.detach(from: driver) }
      try tree.remove(try tree.resolved(link, for: .write))
      try tree.remove(link)
    }
  }

  private func sleeps(_ word: String) throws(HostError) {
    let file: HostPath = "\(folder)/power/control"
    if tree.exists(file) { try tree.replace("\(word)\n", at: file) }
  }

  private enum Direction { case away, back }

  /// The interfaces, disks and screens of a device come and go with the driver that makes them.
  private func move(
    children direction: Direction, of place: HostPath, _ driver: String
  ) throws(HostError) {
    for name in ["net", "nvme", "drm", "graphics", "sound"] {
      let child: HostPath = "\(place)/\(name)"
      let shelf: HostPath = "/recorded/unbound/\(self.name)/\(driver)/\(name)"
      switch direction {
      case .away: try tree.move(child, to: shelf)
      case .back: try tree.move(shelf, to: child)
      }
    }
  }
}
