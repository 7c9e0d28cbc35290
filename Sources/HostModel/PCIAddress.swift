internal import Bytes

/// The place of one PCI function: domain, bus, slot, function.
///
/// Written as sysfs names it: `0000:0b:00.3`, lower-case hexadecimal, the domain with at least
/// four digits.
package struct PCIAddress: Hashable, Sendable, Comparable {
  package var domain: Int
  package var bus: Int
  package var slot: Int
  package var function: Int

  /// The address of these numbers; nil if the PCI standard has no room for one of them.
  package init?(domain: Int, bus: Int, slot: Int, function: Int) {
    guard (0...0x7fff_ffff).contains(domain), (0...0xff).contains(bus), (0...0x1f).contains(slot),
      (0...7).contains(function)
    else { return nil }
    self.domain = domain
    self.bus = bus
    self.slot = slot
    self.function = function
  }

  /// The address that a text names, with or without the domain; nil if it names none.
  package init?(_ text: some StringProtocol) {
    let halves = text.fields(at: ".", keepingEmpty: true)
    let parts = halves[0].fields(at: ":", keepingEmpty: true)
    guard halves.count == 2, (2...3).contains(parts.count),
      let domain = parts.count == 3 ? Self.hexadecimal(parts[0]) : 0,
      let bus = Self.hexadecimal(parts[parts.count - 2]),
      let slot = Self.hexadecimal(parts[parts.count - 1]),
      let function = Self.hexadecimal(halves[1])
    else { return nil }
    self.init(domain: domain, bus: bus, slot: slot, function: function)
  }

  private static func hexadecimal(_ digits: some StringProtocol) -> Int? {
    guard (1...8).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0.hexDigitValue != nil })
    else { return nil }
    return Int(digits, radix: 16)
  }

  package static func < (left: PCIAddress, right: PCIAddress) -> Bool {
    (left.domain, left.bus, left.slot, left.function)
      < (right.domain, right.bus, right.slot, right.function)
  }
}

extension PCIAddress: CustomStringConvertible {
  package var description: String {
    func padded(_ number: Int, to width: Int) -> String {
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(padded(domain, to: 4)):\(padded(bus, to: 2)):\(padded(slot, to: 2)).\(function)"
  }
}
