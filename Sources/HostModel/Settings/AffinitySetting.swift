/// The CPUs that a thread may run on.
struct AffinitySetting: SettingKind {
  let thread: HostThread

  static var word: String { "affinity" }
  var family: SettingFamily? { .threads }
  /// With each change of its cpuset, hotplug among them (kernel/cgroup/cpuset.c,
  /// `hotplug_update_tasks()`; up to 6.1 without what was set by `sched_setaffinity()`, since 6.2
  /// within that), and when all its CPUs are offline (kernel/sched/core.c, `select_fallback_rq()`).
  var kernelChanges: KernelChanges { .moreCPUs }
  var name: String { "CPUs of \(thread.role) (thread \(thread.tid))" }
  var title: String { thread.isExpected ? "CPUs of \(thread.role)" : name }

  func write(to words: inout WordWriter) { words.thread(thread) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .affinity(try words.thread())
  }
}
