/// The functions in a slot of PCI; none while they are taken off the bus.
struct SlotSetting: SettingKind {
  let slot: PCISlot

  static var word: String { "slot" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// A bus that is looked through, or hotplug, finds what was taken off (drivers/pci/probe.c,
  /// `pci_rescan_bus()`).
  var kernelChanges: KernelChanges { .original }
  var name: String { "functions in slot \(slot)" }
  /// One for all slots: functions are taken off the bus and found again one slot at a time.
  var lockName: String { "slots" }

  func removes(_ other: Setting) -> Bool {
    other.configuredFunction.map { slot.contains($0) } ?? false
  }

  func write(to words: inout WordWriter) { words.raw("\(slot)") }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    let text = try words.raw()
    guard let slot = PCISlot(text), "\(slot)" == text else {
      throw FormatError("“\(text)” is no slot")
    }
    return .slot(slot)
  }
}
