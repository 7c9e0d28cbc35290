internal import Formats
import HostModel
internal import Port
internal import Synchronization

/// What a recorded kernel works out of files that it is asked about again for each of thousands of
/// threads and interrupts.
///
/// It is forgotten with every change of a tree by this process, whichever value made it, and with
/// every listing that a pass over threads or interrupts begins with: another process may have
/// changed the folder since the last one.
final class TreeMemory {
  private static let changes = Atomic<Int>(0)

  private var changes = 0
  private var limits: RecordedLimits?
  private var version: KernelVersion?
  /// What each cgroup may use, nil without a cpuset, by the lines of `/proc/PID/cgroup`.
  private var cpusets: [String: CPUList?] = [:]

  /// Has every memory of a tree begin anew.
  static func noteChange() { changes.add(1, ordering: .relaxed) }

  func forget() {
    limits = nil
    version = nil
    cpusets.removeAll(keepingCapacity: true)
  }

  func limits(
    orElse read: () throws(HostError) -> RecordedLimits
  ) throws(HostError) -> RecordedLimits {
    forgetWhatChanged()
    if let limits { return limits }
    let found = try read()
    limits = found
    return found
  }

  func version(
    orElse read: () throws(HostError) -> KernelVersion
  ) throws(HostError) -> KernelVersion {
    forgetWhatChanged()
    if let version { return version }
    let found = try read()
    version = found
    return found
  }

  func cpuset(
    of groups: String, orElse read: () throws(HostError) -> CPUList?
  ) throws(HostError) -> CPUList? {
    forgetWhatChanged()
    if let known = cpusets[groups] { return known }
    let found = try read()
    cpusets[groups] = .some(found)
    return found
  }

  private func forgetWhatChanged() {
    let now = Self.changes.load(ordering: .relaxed)
    if now != changes { forget() }
    changes = now
  }
}
