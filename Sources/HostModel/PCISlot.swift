internal import Bytes

/// The place of all functions of one device: domain, bus, slot.
package struct PCISlot: Hashable, Sendable {
  package var domain: Int
  package var bus: Int
  package var slot: Int

  /// The slot of a function.
  package init(of function: PCIAddress) {
    (domain, bus, slot) = (function.domain, function.bus, function.slot)
  }

  /// The slot that a text names, with or without the domain: `0000:0b:00`; nil if it names none.
  package init?(_ text: String) {
    guard !text.has("."), let function = PCIAddress(text + ".0") else { return nil }
    self.init(of: function)
  }

  package func contains(_ function: PCIAddress) -> Bool { PCISlot(of: function) == self }

  /// The bus as sysfs names it below `/sys/class/pci_bus/`.
  package var busName: String { String("\(self)".droppingLast(3)) }
}

extension PCISlot: CustomStringConvertible {
  package var description: String {
    let function = PCIAddress(domain: domain, bus: bus, slot: slot, function: 0)
    return function.map { String("\($0)".droppingLast(2)) } ?? "no slot"
  }
}

/// A function in a slot, with what it loses when it is taken off the bus.
package struct SlotFunction: Hashable, Sendable {
  package var address: PCIAddress
  package var binding: DriverBinding
  package var attributes: [Attribute]

  package init(address: PCIAddress, binding: DriverBinding, attributes: [Attribute] = []) {
    self.address = address
    self.binding = binding
    self.attributes = attributes
  }

  /// A file in the function's folder, by its name there.
  package struct Attribute: Hashable, Sendable {
    package var name: String
    package var text: String

    package init(name: String, text: String) {
      self.name = name
      self.text = text
    }
  }
}
