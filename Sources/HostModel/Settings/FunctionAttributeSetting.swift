/// One of the attributes of a PCI function that decide how it is reset and how it sleeps.
struct FunctionAttributeSetting: SettingKind {
  let function: PCIAddress
  let attribute: FunctionAttribute

  static var word: String { "function-attribute" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  var configuredFunction: PCIAddress? { function }
  var name: String { "\(attribute.rawValue) of \(function)" }
  var lockName: String { "\(function)" }

  /// A driver that takes a function or leaves it decides anew whether the function sleeps
  /// (drivers/vfio/pci/vfio_pci_core.c allows it on the way in and forbids it on the way out).
  ///
  /// The others are as at first once the function is found anew (drivers/pci/pci.c,
  /// `pci_init_reset_methods()`, `pci_pm_init()`).
  var kernelChanges: KernelChanges {
    attribute == .powerControl ? .any(after: .driver(function)) : .original
  }

  func write(to words: inout WordWriter) {
    words.address(function)
    words.raw(attribute.rawValue)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .functionAttribute(
      try words.address(), try words.keyword(else: "no attribute of a function"))
  }
}

/// An attribute of a PCI function, by its path below the function.
package enum FunctionAttribute: String, Hashable, Sendable, CaseIterable {
  /// The ways to reset the function, in the order in which they are tried.
  case resetMethod = "reset_method"
  /// Whether the function may lose its power altogether.
  case d3Cold = "d3cold_allowed"
  /// Whether the function sleeps by itself: `auto` or `on`.
  case powerControl = "power/control"
}
