internal import Bytes
internal import HostModel

/// What values mean to the keys of PCI functions.
extension PolicyValue {
  /// The functions that an array names, and the slots: `0000:0b:00` is every function of that slot.
  func functions() throws(PolicyValueError) -> ([PCIAddress], [PCISelection]) {
    let expected = PolicyValueError("an array of PCI functions such as [\"0000:0b:00.0\"]")
    guard case .array(let values) = self else { throw expected }
    var functions: [PCIAddress] = []
    var slots: [PCISelection] = []
    for value in values {
      guard case .string(let text) = value else { throw expected }
      if let address = PCIAddress(text) {
        functions.append(address)
      } else if let slot = PCISelection(text.lowercasedASCII), slot.function == nil {
        slots.append(slot)
      } else {
        throw expected
      }
    }
    return (functions, slots)
  }

  /// A time that may be none.
  func pause() throws(PolicyValueError) -> Int {
    [.integer(0), .string("0s")].contains(self) ? 0 : try milliseconds()
  }

  /// The names of modules, as sysfs has them: with `_` where modprobe(8) takes `-`, too.
  func modules() throws(PolicyValueError) -> [String] {
    let expected = PolicyValueError("an array of modules such as [\"nvidia_drm\", \"nvidia\"]")
    guard case .array(let values) = self, values.count <= 32 else { throw expected }
    var modules: [String] = []
    for value in values {
      guard let name = value.name?.replaced("-", by: "_"), !modules.contains(name) else {
        throw expected
      }
      modules.append(name)
    }
    return modules
  }

  /// Words of `reset_method`; which of them a function offers is for the host to tell.
  func resetMethods() throws(PolicyValueError) -> [String]? {
    if self == .string("") { return nil }
    let expected = PolicyValueError("ways to reset a function such as “bus” or “flr bus”")
    guard case .string(let text) = self else { throw expected }
    let words = text.fields(at: " ").map(String.init)
    guard (1...8).contains(words.count),
      words.allSatisfy({ PolicyValue.string($0).name != nil && $0 != "default" })
    else { throw expected }
    return words
  }
}

/// The sizes of BARs.
extension PolicyValue {
  func barSizes() throws(PolicyValueError) -> [Policy.BARWish] {
    let expected = PolicyValueError("a table such as { \"0000:45:00.0/0\" = \"16GiB\" }")
    guard case .table(let members) = self else { throw expected }
    var wishes: [Policy.BARWish] = []
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      let parts = name.fields(at: "/", keepingEmpty: true)
      guard parts.count == 2, let function = PCIAddress(parts[0]), let number = Int(parts[1]),
        (0...5).contains(number), let mebibytes = value.mebibytes
      else { throw expected }
      let bar = BAR(of: function, number)
      guard !wishes.contains(where: { $0.bar == bar }) else {
        throw PolicyValueError("a table that names each BAR once (\(bar) is there twice)")
      }
      wishes.append(Policy.BARWish(bar, mebibytes: mebibytes))
    }
    return wishes
  }

  /// A power of two of MiB, written in MiB or GiB; nil for anything else.
  private var mebibytes: Int? {
    guard case .string(let text) = self else { return nil }
    for (unit, scale) in [("MiB", 1), ("GiB", 1024)] where text.ends(with: unit) {
      guard let number = Int(text.droppingLast(unit.utf8.count).trimmed),
        (1...1 << 20).contains(number),
        number.nonzeroBitCount == 1
      else { return nil }
      return number * scale
    }
    return nil
  }
}
