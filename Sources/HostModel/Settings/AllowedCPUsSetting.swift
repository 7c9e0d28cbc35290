/// `AllowedCPUs=` of a systemd unit, as it is in effect.
struct AllowedCPUsSetting: SettingKind {
  /// A path below the cgroup mount: `system.slice`, `qemu.slice/100.scope`.
  let unit: String

  static var word: String { "allowed-cpus" }
  var family: SettingFamily? { .isolation }
  var traits: SettingTraits { SettingTraits(movesTasks: true) }
  /// Hotplug changes what is in effect (kernel/cgroup/cpuset.c, `cpuset_hotplug_update_tasks()`), and
  /// not what systemd has been told (src/core/cgroup.c), which is what is read.
  var kernelChanges: KernelChanges { .none }
  var name: String { "AllowedCPUs= of \(unit)" }

  func write(to words: inout WordWriter) { words.text(unit) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .allowedCPUs(unit: try words.text())
  }
}
