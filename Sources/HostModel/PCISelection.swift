internal import Bytes

/// What a configuration of Proxmox hands over by one address: a function, or all of a slot.
///
/// Proxmox lets numbers through that no function can have (`00:ff.1`) and finds nothing there when
/// the machine starts: they are kept as they stand.
package struct PCISelection: Hashable, Sendable {
  package var domain: Int
  package var bus: Int
  package var slot: Int
  /// Nil for every function that the host has in the slot.
  package var function: Int?

  /// The selection that a text names, with or without the PCI domain: `01:00.1`, `0000:01:00`.
  ///
  /// The digits are hexadecimal in lower case (`$PCIRE` in src/PVE/QemuServer/PCI.pm).
  package init?(_ text: some StringProtocol) {
    let halves = text.fields(at: ".", keepingEmpty: true)
    let parts = halves[0].fields(at: ":", keepingEmpty: true)
    guard (1...2).contains(halves.count), (2...3).contains(parts.count),
      let bus = Self.number(parts[parts.count - 2], 2...2),
      let slot = Self.number(parts[parts.count - 1], 2...2),
      let domain = parts.count == 3 ? Self.number(parts[0], 4...8) : 0
    else { return nil }
    (self.domain, self.bus, self.slot) = (domain, bus, slot)
    if halves.count == 2 {
      guard let function = Self.number(halves[1], 1...1) else { return nil }
      self.function = function
    }
  }

  private static func number(_ digits: some StringProtocol, _ width: ClosedRange<Int>) -> Int? {
    guard width.contains(digits.utf8.count),
      digits.utf8.allSatisfy({ $0.isDigit || (97...102).contains($0) })
    else { return nil }
    return Int(digits, radix: 16)
  }

  /// The function that is named; nil for a slot, and for numbers that no function can have.
  package var address: PCIAddress? {
    function.flatMap { PCIAddress(domain: domain, bus: bus, slot: slot, function: $0) }
  }

  /// The functions that are meant, on a host that has `present`; ascending.
  ///
  /// A function that is named by itself is meant even where the host lacks it: whoever wants it has
  /// to be told.
  package func functions(among present: [PCIAddress]) -> [PCIAddress] {
    if function != nil { return address.map { [$0] } ?? [] }
    return present.filter { ($0.domain, $0.bus, $0.slot) == (domain, bus, slot) }.sorted()
  }
}

extension PCISelection: CustomStringConvertible {
  /// `0000:01:00.1` for a function, `0000:01:00` for a slot.
  package var description: String {
    func padded(_ number: Int, to width: Int) -> String {
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let slot = "\(padded(domain, to: 4)):\(padded(bus, to: 2)):\(padded(slot, to: 2))"
    return function.map { "\(slot).\(padded($0, to: 1))" } ?? slot
  }
}
