/// What the driver of a physical function was told of a virtual one.
struct VirtualFunctionSetting: SettingKind {
  let function: VirtualFunction
  let attribute: VirtualFunctionAttribute

  static var word: String { "vf" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// A driver that is loaded anew knows nothing of what it was told (drivers/net/ethernet/intel/igb/
  /// igb_main.c, `igb_probe_vfs()`).
  var kernelChanges: KernelChanges { .original }
  var configuredFunction: PCIAddress? { function.parent }
  var name: String { "\(attribute.rawValue) of \(function)" }
  var lockName: String { "vf-\(function.parent)" }

  func write(to words: inout WordWriter) {
    words.address(function.parent)
    words.number(function.index)
    words.raw(attribute.rawValue)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    let function = VirtualFunction(of: try words.address(), index: try words.number())
    return .virtualFunction(function, try words.keyword(else: "nothing of a virtual function"))
  }
}
