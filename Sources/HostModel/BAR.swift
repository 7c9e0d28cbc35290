/// A base address register of a PCI function: a window onto its memory.
package struct BAR: Hashable, Sendable {
  package var function: PCIAddress
  /// 0 to 5.
  package var number: Int

  package init(of function: PCIAddress, _ number: Int) {
    self.function = function
    self.number = number
  }
}

extension BAR: CustomStringConvertible {
  package var description: String { "BAR \(number) of \(function)" }
}
