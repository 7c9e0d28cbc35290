internal import Bytes

/// The VLAN that a network driver puts a virtual function into; 0 for none.
///
/// Written as ip-link(8) shows it, without what is the usual: `69`, `69 qos 3`,
/// `69 qos 3 proto 802.1ad`.
package struct VLANTag: Hashable, Sendable {
  package var id: Int
  package var priority: Int
  package var ethertype: UInt16

  /// 802.1Q.
  package static let usualEthertype: UInt16 = 0x8100
  private static let stackedEthertype: UInt16 = 0x88a8

  package init?(id: Int, priority: Int = 0, ethertype: UInt16 = usualEthertype) {
    guard (0...4095).contains(id), (0...7).contains(priority),
      [Self.usualEthertype, Self.stackedEthertype].contains(ethertype)
    else { return nil }
    (self.id, self.priority, self.ethertype) = (id, priority, ethertype)
  }

  package init?(_ text: some StringProtocol) {
    var words = text.fields(at: " ")[...]
    guard let id = words.popFirst().flatMap({ Int($0) }) else { return nil }
    var priority = 0
    if words.first == "qos" {
      guard let number = words.dropFirst().first.flatMap({ Int($0) }) else { return nil }
      priority = number
      words = words.dropFirst(2)
    }
    let isStacked = words.elementsEqual(["proto", "802.1ad"])
    guard words.isEmpty || isStacked else { return nil }
    self.init(
      id: id, priority: priority,
      ethertype: isStacked ? Self.stackedEthertype : Self.usualEthertype)
  }
}

extension VLANTag: CustomStringConvertible {
  package var description: String {
    "\(id)" + (priority == 0 ? "" : " qos \(priority)")
      + (ethertype == Self.usualEthertype ? "" : " proto 802.1ad")
  }
}
