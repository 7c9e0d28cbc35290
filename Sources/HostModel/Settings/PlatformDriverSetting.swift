/// The driver of a device that the firmware left behind.
struct PlatformDriverSetting: SettingKind {
  /// Its name on the platform bus, such as `efi-framebuffer.0`.
  let device: String

  static var word: String { "platform-driver" }
  var traits: SettingTraits { SettingTraits(isSlow: true) }
  /// A driver that is loaded takes the devices for it that are free (drivers/base/dd.c,
  /// `driver_attach()`).
  var kernelChanges: KernelChanges { .original }
  var name: String { "driver of \(device)" }

  func write(to words: inout WordWriter) { words.text(device) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .platformDriver(try words.text())
  }
}
