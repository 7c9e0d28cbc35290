/// The CPUs that a thread may run on.
struct AffinitySetting: SettingKind {
  let thread: HostThread

  static var word: String { "affinity" }
  var kernelChanges: KernelChanges { .moreCPUs }
  var name: String { "CPUs of \(thread.role) (thread \(thread.tid))" }
  var title: String { thread.isExpected ? "CPUs of \(thread.role)" : name }

  func write(to words: inout WordWriter) { words.thread(thread) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .affinity(try words.thread())
  }
}
