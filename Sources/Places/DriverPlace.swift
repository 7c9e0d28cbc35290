internal import Bytes
internal import Facts
internal import HostModel
internal import Port

/// The driver of a device on a bus, a PCI function above all, and its `driver_override`.
///
/// The override is written before the function leaves its driver: in between, anything that probes
/// (udev does) would otherwise give it to another one. Each write is made where it can be
/// abandoned, as a driver may wait for ever for its users to go.
struct DriverPlace: Place {
  let kernel: any Kernel
  /// The folder of the bus: `/sys/bus/pci`.
  let bus: HostPath
  /// The device's name on the bus.
  let name: String

  init(kernel: any Kernel, function: PCIAddress) {
    self.kernel = kernel
    bus = "/sys/bus/pci"
    name = "\(function)"
  }

  init(kernel: any Kernel, platformDevice: String) {
    self.kernel = kernel
    bus = "/sys/bus/platform"
    name = platformDevice
  }

  private var device: HostPath { "\(bus)/devices/\(name)" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    .driver(try binding())
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .driver(let wanted) = value else { throw unsupported(value, at: device) }
    let standing = try binding()
    if standing.driver != wanted.driver {
      if let driver = standing.driver { try refuseWhileOpen(driver) }
      try override(wanted.driver ?? wanted.override, until: deadline)
      if let driver = standing.driver { try unbind(from: driver, until: deadline) }
      if let driver = wanted.driver { try bind(to: driver, until: deadline) }
    }
    if try binding().override != wanted.override {
      try override(wanted.override, until: deadline)
    }
  }

  private func binding() throws(HostError) -> DriverBinding {
    let override = try kernel.text(of: "\(device)/driver_override").trimmed
    let link: String?
    do throws(HostError) {
      link = try kernel.destination(of: "\(device)/driver")
    } catch  where ErrorNumber(error.errno) == .notFound {
      link = nil
    }
    return DriverBinding(
      driver: link.flatMap { $0.fields(at: "/").last }.map(String.init),
      override: override.isEmpty || override == "(null)" ? nil : override)
  }

  // Clearing takes a newline: a write of no bytes does nothing.
  private func override(_ name: String?, until deadline: Deadline) throws(HostError) {
    try kernel.write(name ?? "\n", to: "\(device)/driver_override", until: deadline)
  }

  private func unbind(from driver: String, until deadline: Deadline) throws(HostError) {
    do throws(HostError) {
      try kernel.write(name, to: "\(device)/driver/unbind", until: deadline)
    } catch  where ErrorNumber(error.errno) == .timedOut {
      throw HostError(
        .write, "\(device)/driver/unbind", value: name, errno: error.errno,
        diagnosis: "\(driver) does not release the function; it is still in use")
    } catch  where [.noDevice, .notFound].contains(ErrorNumber(error.errno)) {
      // Nothing is bound any more, which is what was wanted.
    }
  }

  /// Takes a function from nobody who has it open, for one of two reasons.
  ///
  /// NVIDIA's driver waits for the users of a GPU in the kernel and without an end, and nobody can call it
  /// off. A driver of VFIO asks whoever has the function to let go of it, and a QEMU then takes it out of
  /// its guest (hw/vfio/pci.c, `vfio_req_notifier_handler()`): that is no longer the VM that is left, but
  /// one that was given the function since.
  private func refuseWhileOpen(_ driver: String) throws(HostError) {
    let reason: String
    if driver == "nvidia" {
      reason = "the driver of NVIDIA would wait for it for ever"
    } else if VFIO.isDriver(driver) {
      reason = "the VM that has it by now would lose it"
    } else {
      return
    }
    guard let address = PCIAddress(name) else { return }
    let reader = FactReader(kernel: kernel)
    var functions: [FunctionFacts] = []
    if let function = try reader.function(address) { functions.append(function) }
    try reader.readUsers(of: &functions)
    guard let user = functions.first?.users.first else { return }
    throw HostError(
      .write, "\(device)/driver/unbind", value: name, errno: ErrorNumber.busy.number,
      diagnosis: "\(user.file) is open in \(user.name) (process \(user.pid)), and \(reason)")
  }

  /// Lets the kernel probe the device, and asks the driver itself where that was not enough.
  ///
  /// `drivers_probe` succeeds even if no driver took the device, so only the link tells.
  private func bind(to driver: String, until deadline: Deadline) throws(HostError) {
    if !kernel.exists("\(bus)/drivers/\(driver)") { try load(driver, until: deadline) }
    try kernel.write(name, to: "\(bus)/drivers_probe", until: deadline)
    guard try binding().driver != driver else { return }
    try kernel.write(name, to: "\(bus)/drivers/\(driver)/bind", until: deadline)
  }

  /// Loads a driver's module: the one of the same name or, as that of `xhci_hcd` has another one,
  /// the one that the device's own alias leads to.
  private func load(_ driver: String, until deadline: Deadline) throws(HostError) {
    var failure: HostError?
    do throws(HostError) {
      try kernel.loadModule(named: driver, until: deadline)
    } catch {
      failure = error
    }
    if kernel.exists("\(bus)/drivers/\(driver)") { return }
    if let alias = try kernel.wordIfPresent(of: "\(device)/modalias"), !alias.isEmpty {
      return try kernel.loadModule(named: alias, until: deadline)
    }
    if let failure { throw failure }
  }
}
