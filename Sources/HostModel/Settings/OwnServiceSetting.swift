/// Whether a service of Berth's own is active: its start and its stop are what is done and undone.
struct OwnServiceSetting: SettingKind {
  let service: OwnService

  static var word: String { "own-service" }
  var traits: SettingTraits {
    SettingTraits(isSlow: service.manner == .awaited, isSwitch: true)
  }
  /// Only systemd starts and stops it, for whoever asks.
  var kernelChanges: KernelChanges { .none }
  var name: String { service.title }
  var lockName: String { ServiceSetting.lockName(of: service.unit) }

  func write(to words: inout WordWriter) {
    words.text(service.unit)
    words.text(service.title)
    words.raw(service.manner.rawValue)
    words.number(service.seconds)
    words.optional(service.boundTo)
    words.texts(service.command)
    words.number(service.undo.count)
    for command in service.undo { words.texts(command) }
    words.texts(service.environment)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    var service = OwnService(
      unit: try words.text(), title: try words.text(),
      manner: try words.keyword(else: "no manner of a service"), command: [],
      seconds: try words.number())
    service.boundTo = try words.optional()
    service.command = try words.texts()
    for _ in 0..<(try words.count()) { service.undo.append(try words.texts()) }
    service.environment = try words.texts()
    return .ownService(service)
  }
}
