internal import Bytes

/// The hardware address of a network function: six bytes.
package struct MACAddress: Hashable, Sendable {
  package var bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The address that a text names: `52:54:00:12:34:56`.
  package init?(_ text: some StringProtocol) {
    let parts = text.fields(at: ":", keepingEmpty: true)
    guard parts.count == 6,
      parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.first?.hexDigitValue != nil })
    else { return nil }
    let bytes = parts.compactMap { UInt8($0, radix: 16) }
    guard bytes.count == 6 else { return nil }
    self.bytes = bytes
  }

  /// Whether one function alone can have it: neither a group's address nor none at all.
  package var isOfOne: Bool { bytes[0] & 1 == 0 && bytes.contains { $0 != 0 } }
}

extension MACAddress: CustomStringConvertible {
  package var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
