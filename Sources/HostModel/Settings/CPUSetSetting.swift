internal import Bytes

/// The CPUs of a cgroup that is not systemd's: those of its `cpuset.cpus`.
///
/// A list of all CPUs of the host confines nobody, and counts as none: up to Linux 6.17 a group with
/// tasks cannot be given an empty one (kernel/cgroup/cpuset.c, `validate_change()`, `ENOSPC`).
struct CPUSetSetting: SettingKind {
  /// A path below the cgroup mount: `lxc`, `machine.slice/NAME.scope/libvirt/emulator`.
  let group: String

  static var word: String { "cpuset" }
  var family: SettingFamily? { .isolation }
  var traits: SettingTraits { SettingTraits(movesTasks: true) }
  /// Hotplug changes what is in effect, and not what was asked for (kernel/cgroup/cpuset.c,
  /// `is_in_v2_mode()`).
  var kernelChanges: KernelChanges { .none }
  var name: String { "cpuset.cpus of \(group)" }
  var title: String { "cpuset.cpus of \(group.fields(at: "/").last.map(String.init) ?? group)" }

  func write(to words: inout WordWriter) { words.text(group) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .cpuset(group: try words.text())
  }
}
