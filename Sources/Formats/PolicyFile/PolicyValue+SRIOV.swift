internal import Bytes
internal import HostModel

/// What values mean to the keys of virtual functions and slots.
extension PolicyValue {
  func virtualFunctionNumbers() throws(PolicyValueError) -> [Policy.SRIOV.Number] {
    let expected = PolicyValueError("a table such as { \"0000:41:00.0\" = 2 }")
    guard case .table(let members) = self else { throw expected }
    var numbers: [Policy.SRIOV.Number] = []
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      guard case .integer(let count) = value, (1...65_535).contains(count),
        let physical = Self.physical(name)
      else { throw expected }
      numbers.append(Policy.SRIOV.Number(physical: physical, count: count))
    }
    return numbers
  }

  func virtualFunctions() throws(PolicyValueError) -> [Policy.SRIOV.Function] {
    let expected = PolicyValueError("a table such as { \"enp7s0f1/1\" = { vlan = 69 } }")
    guard case .table(let members) = self else { throw expected }
    var functions: [Policy.SRIOV.Function] = []
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      guard case .table(let wishes) = value, let name = Self.virtual(name) else { throw expected }
      functions.append(Policy.SRIOV.Function(name: name, wishes: try Self.wishes(wishes, of: name)))
    }
    return functions
  }

  private static func wishes(
    _ members: [String: PolicyValue], of name: String
  ) throws(PolicyValueError) -> [Policy.SRIOV.Wish] {
    let known = VirtualFunctionAttribute.allCases
    let names = known.map(\.rawValue)
    guard members.keys.allSatisfy(names.contains) else {
      throw PolicyValueError("a table of \(names.joined(separator: ", ")) for \(quoted(name))")
    }
    var wishes: [Policy.SRIOV.Wish] = []
    for attribute in known {
      guard let value = members[attribute.rawValue] else { continue }
      wishes.append(Policy.SRIOV.Wish(attribute, try value.text(of: attribute, of: name)))
    }
    return wishes
  }

  private func text(
    of attribute: VirtualFunctionAttribute, of name: String
  ) throws(PolicyValueError) -> String {
    switch (attribute, self) {
    case (.vlan, .integer(let id)) where (0...4094).contains(id): return "\(id)"
    case (.vlan, _): throw PolicyValueError("a vlan from 0 to 4094 for \(quoted(name))")
    case (.mac, .string(let text)):
      if let mac = MACAddress(text), mac.isOfOne { return mac.description }
      throw PolicyValueError("a mac such as “52:54:00:12:34:56” for \(quoted(name))")
    case (.mac, _):
      throw PolicyValueError("a mac such as “52:54:00:12:34:56” for \(quoted(name))")
    case (.trust, .bool(let bool)), (.spoofCheck, .bool(let bool)): return bool ? "on" : "off"
    case (.trust, _), (.spoofCheck, _):
      throw PolicyValueError("true or false as the \(attribute.rawValue) of \(quoted(name))")
    }
  }

  /// The slots that an array names.
  func slots() throws(PolicyValueError) -> [PCISlot] {
    let expected = PolicyValueError("an array of slots such as [\"0000:0b:00\"]")
    guard case .array(let values) = self else { throw expected }
    var slots: [PCISlot] = []
    for value in values {
      guard case .string(let text) = value, let slot = PCISlot(text) else { throw expected }
      if !slots.contains(slot) { slots.append(slot) }
    }
    return slots
  }

  /// A PCI address as sysfs names it, or what can be the name of an interface (net/core/dev.c,
  /// `dev_valid_name()`); nil for anything else.
  private static func physical(_ name: String) -> String? {
    if let address = PCIAddress(name) { return address.description }
    let isName = name.utf8.allSatisfy { (33...126).contains($0) && $0 != 47 && $0 != 58 }
    return isName && (1...15).contains(name.utf8.count) && name != "." && name != ".." ? name : nil
  }

  private static func virtual(_ name: String) -> String? {
    if let address = PCIAddress(name) { return address.description }
    let parts = name.fields(at: "/", keepingEmpty: true)
    guard parts.count == 2, let physical = physical(String(parts[0])),
      let index = Int(parts[1]), (0...65_534).contains(index), "\(index)" == parts[1]
    else { return nil }
    return "\(physical)/\(index)"
  }
}
