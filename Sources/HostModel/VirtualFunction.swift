/// A virtual function of SR-IOV, by its physical function and its number there.
///
/// That is how the kernel's network drivers know it: `ip link set NAME vf 1 …`.
package struct VirtualFunction: Hashable, Sendable {
  package var parent: PCIAddress
  /// From 0 on, as in `virtfn0`.
  package var index: Int

  package init(of parent: PCIAddress, index: Int) {
    self.parent = parent
    self.index = index
  }
}

extension VirtualFunction: CustomStringConvertible {
  package var description: String { "VF \(index) of \(parent)" }
}

/// What the driver of a physical function can be told of a virtual one.
package enum VirtualFunctionAttribute: String, Hashable, Sendable, CaseIterable {
  /// `0` for none; else the VLAN, and with it what is not the usual: `69 qos 3 proto 802.1ad`.
  case vlan
  /// `00:00:00:00:00:00` where the function chooses its own.
  case mac
  /// `on` or `off`, and so the next.
  case trust
  case spoofCheck = "spoof-check"
}

/// What a network driver tells of one virtual function; nil for what it does not tell.
package struct VirtualFunctionState: Hashable, Sendable {
  package var index: Int
  private var texts: [VirtualFunctionAttribute: String] = [:]

  package init(index: Int) { self.index = index }

  package subscript(_ attribute: VirtualFunctionAttribute) -> String? {
    get { texts[attribute] }
    set { texts[attribute] = newValue }
  }
}
