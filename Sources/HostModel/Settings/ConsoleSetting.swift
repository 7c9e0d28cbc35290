/// Whether a driver of text consoles has them (`/sys/class/vtconsole`).
struct ConsoleSetting: SettingKind {
  /// What the kernel calls it, such as `(M) frame buffer device`.
  ///
  /// The numbers of the consoles are given anew with their drivers.
  let driver: String

  static var word: String { "console" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// A framebuffer that comes takes the consoles (drivers/video/fbdev/core/fbcon.c,
  /// `do_fbcon_takeover()`).
  var kernelChanges: KernelChanges { .original }
  var name: String { "consoles of \(driver)" }

  func write(to words: inout WordWriter) { words.text(driver) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .console(try words.text())
  }
}
