internal import HostModel

/// The driver of a PCI function, and its `driver_override`.
///
/// The override is written before the function leaves its driver: in between, anything that probes
/// (udev does) would otherwise give it to another one. Each write is made where it can be
/// abandoned, as a driver may wait for ever for its users to go.
struct DriverPlace: Place {
  let kernel: any Kernel
  let address: PCIAddress

  private static let bus = "/sys/bus/pci"

  private var device: String { "\(Self.bus)/devices/\(address)" }

  func read() throws(HostError) -> Value {
    .driver(try binding())
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .driver(let wanted) = value else { throw misfit(value, at: device) }
    let standing = try binding()
    if standing.driver != wanted.driver {
      try override(wanted.driver ?? wanted.override, until: deadline)
      if let driver = standing.driver { try unbind(from: driver, until: deadline) }
      if let driver = wanted.driver { try bind(to: driver, until: deadline) }
    }
    if try binding().override != wanted.override {
      try override(wanted.override, until: deadline)
    }
  }

  private func binding() throws(HostError) -> DriverBinding {
    let override = try kernel.text(of: device + "/driver_override").trimmed
    let link: String?
    do throws(HostError) {
      link = try kernel.destination(of: device + "/driver")
    } catch  where ErrorNumber(error.errno) == .notFound {
      link = nil
    }
    return DriverBinding(
      driver: link.flatMap { $0.split(separator: "/").last }.map(String.init),
      override: override.isEmpty || override == "(null)" ? nil : override)
  }

  // Clearing takes a newline: a write of no bytes does nothing.
  private func override(_ name: String?, until deadline: Deadline) throws(HostError) {
    try kernel.write(name ?? "\n", to: device + "/driver_override", until: deadline)
  }

  private func unbind(from driver: String, until deadline: Deadline) throws(HostError) {
    do throws(HostError) {
      try kernel.write("\(address)", to: device + "/driver/unbind", until: deadline)
    } catch  where ErrorNumber(error.errno) == .timedOut {
      throw HostError(
        .write, device + "/driver/unbind", value: "\(address)", errno: error.errno,
        diagnosis: "\(driver) does not let go of the function; somebody still uses it")
    } catch  where [.noDevice, .notFound].contains(ErrorNumber(error.errno)) {
      // Nothing is bound any more, which is what was wanted.
    }
  }

  /// Lets the kernel probe the function, and asks the driver itself where that was not enough.
  ///
  /// `drivers_probe` succeeds even if no driver took the function, so only the link tells.
  private func bind(to driver: String, until deadline: Deadline) throws(HostError) {
    if !kernel.exists("\(Self.bus)/drivers/\(driver)") {
      try kernel.loadModule(named: driver, until: deadline)
    }
    try kernel.write("\(address)", to: "\(Self.bus)/drivers_probe", until: deadline)
    guard try binding().driver != driver else { return }
    try kernel.write("\(address)", to: "\(Self.bus)/drivers/\(driver)/bind", until: deadline)
  }
}
