internal import Bytes
internal import Facts
internal import HostModel
internal import Port

/// The functions in a slot of PCI, which can be taken off the bus and found again.
///
/// A function that is found again has lost its `driver_override` and what its folder held, and gets
/// the driver that takes it first (drivers/pci/remove.c, drivers/pci/probe.c). All of that belongs to
/// the value, so that it is put back with the function.
struct SlotPlace: Place {
  let kernel: any Kernel
  let slot: PCISlot

  private static let devices: HostPath = "/sys/bus/pci/devices"
  /// What somebody may have set for one function, and its driver does not set itself.
  private static let attributes = ["d3cold_allowed", "power/control", "reset_method"]

  private var bus: HostPath { "/sys/class/pci_bus/\(slot.busName)" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    guard kernel.exists(bus) else {
      throw HostError(.read, bus, errno: ErrorNumber.notFound.number)
    }
    var functions: [SlotFunction] = []
    for address in try kernel.functions(in: slot) {
      do throws(HostError) {
        functions.append(try function(address, until: deadline))
      } catch  where error.isAbsence && !kernel.exists("\(Self.devices)/\(address)") {
        // It has been taken off the bus since it was listed: the slot is there still.
      }
    }
    return .functions(functions)
  }

  private func function(
    _ address: PCIAddress, until deadline: Deadline
  ) throws(HostError) -> SlotFunction {
    let binding = try DriverPlace(kernel: kernel, function: address)
      .read(until: deadline)
    guard case .driver(let binding) = binding else { throw unsupported(binding, at: bus) }
    var function = SlotFunction(address: address, binding: binding)
    for name in Self.attributes {
      guard let text = try kernel.wordIfPresent(of: "\(Self.devices)/\(address)/\(below: name)")
      else {
        continue
      }
      function.attributes.append(SlotFunction.Attribute(name: name, text: text))
    }
    return function
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .functions(let wanted) = value else { throw unsupported(value, at: bus) }
    let present = try kernel.functions(in: slot)
    let addresses = wanted.map(\.address)
    // The highest first: without function 0 the others could not be found again.
    for address in present.reversed() where !addresses.contains(address) {
      try kernel.write("1", to: "\(Self.devices)/\(address)/remove", until: deadline)
    }
    if !addresses.allSatisfy(present.contains) { try find(addresses, until: deadline) }
    for function in wanted { try restore(function, until: deadline) }
  }

  /// Looks through the slot's own bus, and no other.
  private func find(_ addresses: [PCIAddress], until deadline: Deadline) throws(HostError) {
    try kernel.write("1", to: "\(bus)/rescan", until: deadline)
    var missing = addresses
    try kernel.wait(until: deadline) { () throws(HostError) in
      let present = try kernel.functions(in: slot)
      missing = addresses.filter { !present.contains($0) }
      return missing.isEmpty
    }
    guard missing.isEmpty else {
      let names = missing.map(\.description).joined(separator: ", ")
      throw HostError(
        .write, "\(bus)/rescan", value: "1", errno: ErrorNumber.timedOut.number,
        diagnosis: "\(names) did not come back; a reboot may be all that helps")
    }
    try kernel.waitForUdev(toSee: addresses, until: deadline)
  }

  private func restore(_ function: SlotFunction, until deadline: Deadline) throws(HostError) {
    let standing = try self.function(function.address, until: deadline)
    if standing.binding != function.binding {
      try DriverPlace(kernel: kernel, function: function.address)
        .write(.driver(function.binding), until: deadline)
    }
    for attribute in function.attributes where !standing.attributes.contains(attribute) {
      try kernel.write(
        attribute.text, to: "\(Self.devices)/\(function.address)/\(below: attribute.name)",
        until: deadline)
    }
  }
}
