/// The core-scheduling cookie of a process: which threads may run beside its own on a core.
struct CoreCookieSetting: SettingKind {
  let process: ProcessIdentity

  static var word: String { "core-cookie" }
  /// A thread inherits it, and only `prctl(2)` changes it (kernel/sched/core_sched.c,
  /// `sched_core_share_pid()`).
  var kernelChanges: KernelChanges { .none }
  var name: String { "core-scheduling cookie of process \(process.pid)" }
  /// In a plan, QEMU's process is yet to come.
  var title: String { process.pid == 0 ? "core-scheduling cookie of QEMU" : name }

  func write(to words: inout WordWriter) { words.process(process) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .coreCookie(try words.process())
  }
}
