internal import Bytes
import HostModel

/// The modules of a recorded host, which are unloaded and loaded again.
///
/// A module that is not there at the beginning is not there at all. Each folder of `/sys/module`
/// says with `initstate` that it is a module, with `holders` who depends on it, with `refcnt` how
/// often it is used, and with `drivers` which drivers it has.
struct RecordedModules {
  let tree: RecordedTree

  private static let loaded: HostPath = "/sys/module"
  private static let shelf: HostPath = "/recorded/modules"

  /// Unloads a module: `EAGAIN` while it is used, `ENOENT` where it is not loaded.
  func unload(_ name: String) throws(HostError) {
    let folder: HostPath = "\(Self.loaded)/\(name)"
    guard tree.exists("\(folder)/initstate") else {
      throw refusal(name, .notFound)
    }
    guard try number(of: "\(folder)/refcnt") == 0 else { throw refusal(name, .again) }
    for driver in try drivers(in: folder) {
      let bus: HostPath = "/sys/bus/pci/drivers/\(driver)"
      for address in try tree.entries(of: bus).filter({ PCIAddress($0) != nil }) {
        try BusDevice(tree: tree, bus: "/sys/bus/pci", name: address).detach(from: driver)
      }
      try tree.move(bus, to: "\(Self.shelf)/\(name)/.drivers/\(driver)")
    }
    for other in try tree.entries(of: Self.loaded)
    where tree.exists("\(Self.loaded)/\(other)/holders/\(name)") {
      try tree.move(
        "\(Self.loaded)/\(other)/holders/\(name)", to: "\(Self.shelf)/\(name)/.needs/\(other)")
      try count(-1, at: "\(Self.loaded)/\(other)/refcnt")
    }
    try tree.move(folder, to: "\(Self.shelf)/\(name)/.module")
  }

  /// Loads a module that was unloaded, and those that it needs before it; `ENOENT` for any other.
  func load(_ name: String) throws(HostError) {
    let shelf: HostPath = "\(Self.shelf)/\(name)"
    if tree.exists("\(Self.loaded)/\(name)") { return }
    guard tree.exists("\(shelf)/.module") else {
      throw HostError(
        .write, "module \(name)", errno: ErrorNumber.notFound.number,
        diagnosis: "the recorded host has no such driver")
    }
    for other in try entries(of: "\(shelf)/.needs") {
      try load(other)
      try tree.move("\(shelf)/.needs/\(other)", to: "\(Self.loaded)/\(other)/holders/\(name)")
      try count(1, at: "\(Self.loaded)/\(other)/refcnt")
    }
    try tree.move("\(shelf)/.module", to: "\(Self.loaded)/\(name)")
    for driver in try entries(of: "\(shelf)/.drivers") {
      try tree.move("\(shelf)/.drivers/\(driver)", to: "/sys/bus/pci/drivers/\(driver)")
      try probe(driver)
    }
    try tree.remove(shelf)
  }

  /// Has a new driver look for functions that are free and meant for it.
  private func probe(_ driver: String) throws(HostError) {
    for address in try tree.entries(of: "/sys/bus/pci/devices") {
      let device = BusDevice(tree: tree, bus: "/sys/bus/pci", name: address)
      if try device.driver() == nil, try device.choice() == driver {
        try device.attach(to: driver)
      }
    }
  }

  private func drivers(in folder: HostPath) throws(HostError) -> [String] {
    try entries(of: "\(folder)/drivers").compactMap {
      $0.rest(after: "pci:").map(String.init)
    }
  }

  private func entries(of folder: HostPath) throws(HostError) -> [String] {
    tree.exists(folder) ? try tree.entries(of: folder) : []
  }

  private func number(of path: HostPath) throws(HostError) -> Int {
    Quantity.integer.number(try tree.text(of: path).trimmed) ?? 0
  }

  private func count(_ change: Int, at path: HostPath) throws(HostError) {
    try tree.replace("\(try number(of: path) + change)\n", at: path)
  }

  private func refusal(_ name: String, _ number: ErrorNumber) -> HostError {
    HostError(.call, "delete_module", value: name, errno: number.number)
  }
}
