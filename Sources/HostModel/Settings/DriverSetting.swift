/// The driver that a PCI function is bound to, with its `driver_override`.
struct DriverSetting: SettingKind {
  let function: PCIAddress

  static var word: String { "driver" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// A function that is found anew is the driver's that takes it by itself (drivers/pci/bus.c,
  /// `pci_bus_add_device()`), as is one that somebody has given back (`virsh nodedev-reattach`). Both have
  /// left their VM, and nothing but the hypervisor brings them back there: by now the host may work with
  /// them.
  var kernelChanges: KernelChanges { .none }
  var goneSentence: String? {
    "\(function) is not there any more, and nothing of it is left to be given back"
  }
  var configuredFunction: PCIAddress? { function }
  var name: String { "driver of \(function)" }
  var lockName: String { "\(function)" }

  func write(to words: inout WordWriter) { words.address(function) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .driver(try words.address())
  }
}
