/// The size of a resizable BAR in MiB.
struct BARSetting: SettingKind {
  let bar: BAR

  static var word: String { "bar" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// A function that is found anew has the size that it comes with (drivers/pci/probe.c,
  /// `pci_read_bases()`); sleep and resets keep it (drivers/pci/pci.c, `pci_restore_rebar_state()`).
  var kernelChanges: KernelChanges { .original }
  var configuredFunction: PCIAddress? { bar.function }
  var name: String { "MiB of \(bar)" }
  var lockName: String { "\(bar.function)" }

  func write(to words: inout WordWriter) {
    words.address(bar.function)
    words.number(bar.number)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .barSize(BAR(of: try words.address(), try words.number()))
  }
}
