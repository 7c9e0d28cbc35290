internal import Bytes
import HostModel

/// Finds the folder of a thread of which only the number is known.
///
/// As on a live host, a thread of another number than its process is only listed below that. The
/// process with the nearest number up to the thread's mostly is the one: a host with 512 CPUs has
/// thousands.
final class ThreadFolders {
  /// The processes when they were last looked for, ascending.
  private var pids: [Int] = []
  /// The processes that somebody has just seen.
  private var seen: Set<Int> = []
  /// Where threads were found before.
  private var folders: [Int: HostPath] = [:]

  /// Remembers the threads that were just seen in a folder such as `/proc/4242/task`, or the
  /// processes in `/proc`.
  func note(_ names: [String], in directory: HostPath) {
    if directory == "/proc" { seen = Set(names.compactMap(Quantity.process.number)) }
    guard directory.begins(with: "/proc"), directory.ends(with: "/task") else { return }
    for tid in names.compactMap(Quantity.process.number) { folders[tid] = "\(directory)/\(tid)" }
  }

  /// Where a thread is by what was just seen, which may not be true any more; nil for one that
  /// nobody has seen.
  func likelyFolder(of tid: Int) -> HostPath? {
    folders[tid] ?? (seen.contains(tid) ? "/proc/\(tid)/task/\(tid)" : nil)
  }

  /// The folder with the thread's `stat`; nil where no such thread is recorded.
  ///
  /// Whoever only reads finds out by himself whether what was seen there is there still.
  func folder(
    of tid: Int, in tree: RecordedTree, isOnlyRead: Bool
  ) throws(HostError) -> HostPath? {
    if let folder = folders[tid], isOnlyRead || tree.exists("\(folder)/stat") { return folder }
    if pids.isEmpty { pids = try processes(of: tree) }
    var folder = nearest(tid, in: tree) ?? own(tid, in: tree)
    if folder == nil { folder = try search(tid, in: tree) }
    folders[tid] = folder
    return folder
  }

  private func processes(of tree: RecordedTree) throws(HostError) -> [Int] {
    guard tree.exists("/proc") else { return [] }
    return try tree.entries(of: "/proc").compactMap(Quantity.process.number).sorted()
  }

  private func nearest(_ tid: Int, in tree: RecordedTree) -> HostPath? {
    guard let pid = pids.last(where: { $0 <= tid }) else { return nil }
    return folder(of: tid, below: pid, in: tree)
  }

  /// The thread by itself, as some records have it.
  private func own(_ tid: Int, in tree: RecordedTree) -> HostPath? {
    guard tree.exists("/proc/\(tid)/stat") else { return nil }
    return folder(of: tid, below: tid, in: tree) ?? "/proc/\(tid)"
  }

  private func search(_ tid: Int, in tree: RecordedTree) throws(HostError) -> HostPath? {
    // Others may have come since.
    pids = try processes(of: tree)
    for pid in pids {
      if let folder = folder(of: tid, below: pid, in: tree) { return folder }
    }
    return nil
  }

  private func folder(of tid: Int, below pid: Int, in tree: RecordedTree) -> HostPath? {
    let folder: HostPath = "/proc/\(pid)/task/\(tid)"
    return tree.exists("\(folder)/stat") ? folder : nil
  }
}
