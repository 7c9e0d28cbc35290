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
  package init?(_ text: String) { self.init(text.utf8.span) }

  package init?(_ text: Substring) { self.init(text.utf8.span) }

  package init?(_ text: Span<UInt8>) {
    let colon = UInt8(ascii: ":")
    guard let dot = text.lastIndex(of: UInt8(ascii: ".")),
      let last = text.extracting(..<dot).lastIndex(of: colon)
    else { return nil }
    let first = text.extracting(..<last).lastIndex(of: colon)
    guard let domain = first.map({ text.hexadecimal(in: 0..<$0) }) ?? 0,
      let bus = text.hexadecimal(in: (first.map { $0 + 1 } ?? 0)..<last),
      let slot = text.hexadecimal(in: last + 1..<dot),
      let function = text.hexadecimal(in: dot + 1..<text.count)
    else { return nil }
    self.init(domain: domain, bus: bus, slot: slot, function: function)
  }

  package static func < (left: PCIAddress, right: PCIAddress) -> Bool {
    (left.domain, left.bus, left.slot, left.function)
      < (right.domain, right.bus, right.slot, right.function)
  }
}

extension PCIAddress: CustomStringConvertible {
  package var description: String {
    var words = WordWriter()
    words.hexadecimal(domain, width: 4)
    words.byte(UInt8(ascii: ":"))
    words.hexadecimal(bus, width: 2)
    words.byte(UInt8(ascii: ":"))
    words.hexadecimal(slot, width: 2)
    words.byte(UInt8(ascii: "."))
    words.hexadecimal(function, width: 1)
    return String(decoding: words.bytes, as: UTF8.self)
  }
}
