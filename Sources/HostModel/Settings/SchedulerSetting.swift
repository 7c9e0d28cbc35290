/// The scheduling policy of a thread.
struct SchedulerSetting: SettingKind {
  let thread: HostThread

  static var word: String { "scheduler" }
  var family: SettingFamily? { .threads }
  /// Only system calls change it (kernel/sched/syscalls.c, up to 6.10 kernel/sched/core.c,
  /// `__sched_setscheduler()`).
  var kernelChanges: KernelChanges { .none }
  var name: String { "scheduler of \(thread.role) (thread \(thread.tid))" }
  var title: String { thread.isExpected ? "scheduler of \(thread.role)" : name }

  func write(to words: inout WordWriter) { words.thread(thread) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .scheduler(try words.thread())
  }
}
