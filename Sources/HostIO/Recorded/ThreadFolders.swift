import HostModel

/// Finds the folder of a thread of which only the number is known.
///
/// As on a live host, a thread of another number than its process is only listed below that. The
/// processes are looked through from the one with the nearest smaller number on, which mostly is
/// the one: a host with 512 CPUs has thousands.
final class ThreadFolders {
  /// The processes when they were last looked for, ascending.
  private var pids: [Int] = []

  /// The folder with the thread's `stat`; nil where no such thread is recorded.
  func folder(of tid: Int, in tree: RecordedTree) throws(HostError) -> String? {
    if tree.exists("/proc/\(tid)/stat") { return "/proc/\(tid)" }
    if let found = search(tid, in: tree) { return found }
    guard tree.exists("/proc") else { return nil }
    let known = pids
    pids = try tree.entries(of: "/proc").compactMap { Int($0) }.sorted()
    return pids == known ? nil : search(tid, in: tree)
  }

  private func search(_ tid: Int, in tree: RecordedTree) -> String? {
    let end = pids.firstIndex { $0 > tid } ?? pids.count
    let folders = (pids[..<end].reversed() + pids[end...]).lazy.map { "/proc/\($0)/task/\(tid)" }
    return folders.first { tree.exists("\($0)/stat") }
  }
}
