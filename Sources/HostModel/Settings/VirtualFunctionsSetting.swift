/// How many virtual functions a physical one has (`sriov_numvfs`).
///
/// They cannot become more or fewer: all of them go first (drivers/pci/pci-sysfs.c,
/// `sriov_numvfs_store()`).
struct VirtualFunctionsSetting: SettingKind {
  let parent: PCIAddress

  static var word: String { "vfs" }
  var traits: SettingTraits { SettingTraits(isSlow: true, isFixedWhileHeld: true) }
  /// They go with the driver of the physical function (drivers/pci/iov.c, `sriov_disable()`).
  var kernelChanges: KernelChanges { .original }
  var configuredFunction: PCIAddress? { parent }
  var name: String { "number of VFs of \(parent)" }
  var lockName: String { "vfs-\(parent)" }

  func write(to words: inout WordWriter) { words.address(parent) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .virtualFunctions(of: try words.address())
  }
}
