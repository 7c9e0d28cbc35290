internal import Bytes

/// A PCI function that a VM which runs was handed at its start, has no more, and the host does not have
/// back.
package struct FunctionDeparture: Hashable, Sendable, CustomStringConvertible {
  package var function: PCIAddress
  /// The name of the VM.
  package var domain: String
  /// The driver that the function waits on.
  package var driver: String

  package init(function: PCIAddress, domain: String, driver: String) {
    self.function = function
    self.domain = domain
    self.driver = driver
  }

  package var description: String {
    "\(function) was removed from \(domain), which still runs: it stays on \(driver) until \(domain) stops"
  }

  /// What gives it back at once, which is left alone then.
  package var remedy: String {
    "virsh nodedev-reattach pci_"
      + "\(function)".replaced(":", by: "_").replaced(".", by: "_") + " gives it back now"
  }
}
