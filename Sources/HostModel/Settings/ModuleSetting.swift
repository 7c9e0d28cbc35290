/// Whether a module of the kernel is loaded.
struct ModuleSetting: SettingKind {
  let module: String

  static var word: String { "module" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// The kernel has a module loaded when something asks for what it provides
  /// (kernel/module/kmod.c, `__request_module()`), as udev does for each device that comes.
  var kernelChanges: KernelChanges { .original }
  var name: String { "module \(module)" }

  func write(to words: inout WordWriter) { words.text(module) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .module(try words.text())
  }
}

/// What the value of a module's setting is, as a text.
package enum ModuleState {
  package static let loaded = Value.text("loaded")
  package static let absent = Value.text("not loaded")
}
