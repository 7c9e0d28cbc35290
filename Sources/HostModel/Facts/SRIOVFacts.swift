/// A physical function that virtual ones can be made from.
package struct PhysicalFunctionFacts: Hashable, Sendable {
  /// The name that was asked for.
  package var asked: String
  package var address: PCIAddress
  /// How many virtual functions it has, and how many it could have.
  package var count: Int
  package var total: Int
  /// How its virtual functions are used, each as a phrase: “0000:41:10.0 is bound to vfio-pci”.
  package var uses: [String]

  package init(
    asked: String, address: PCIAddress, count: Int, total: Int, uses: [String] = []
  ) {
    self.asked = asked
    self.address = address
    self.count = count
    self.total = total
    self.uses = uses
  }
}

/// A virtual function that is there.
package struct VirtualFunctionFacts: Hashable, Sendable {
  /// The name that was asked for.
  package var asked: String
  package var function: VirtualFunction

  package init(asked: String, function: VirtualFunction) {
    self.asked = asked
    self.function = function
  }
}

/// The functions of one slot.
package struct SlotFacts: Hashable, Sendable {
  package var slot: PCISlot
  /// Ascending.
  package var functions: [FunctionFacts]
  /// Whether the bus can be looked through for functions that are gone.
  package var canRescan: Bool

  package init(slot: PCISlot, functions: [FunctionFacts], canRescan: Bool = true) {
    self.slot = slot
    self.functions = functions
    self.canRescan = canRescan
  }
}
