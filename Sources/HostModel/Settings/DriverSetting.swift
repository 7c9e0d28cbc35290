/// The driver that a PCI function is bound to, with its `driver_override`.
struct DriverSetting: SettingKind {
  let function: PCIAddress

  static var word: String { "driver" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// Its own driver, on a function that is found anew (drivers/pci/bus.c, `pci_bus_add_device()`) as on one
  /// that somebody has given back (`virsh nodedev-reattach`), is not to be changed again.
  ///
  /// Both have left their VM, nothing but the hypervisor brings them back there, and by now the host may
  /// work with them.
  var kernelChanges: KernelChanges { .none }
  var goneSentence: String? {
    "\(function) has left the host: nothing of it is left to restore"
  }
  var configuredFunction: PCIAddress? { function }
  var name: String { "driver of \(function)" }
  var lockName: String { "\(function)" }

  func write(to words: inout WordWriter) { words.address(function) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .driver(try words.address())
  }
}
