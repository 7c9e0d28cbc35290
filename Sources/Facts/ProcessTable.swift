internal import Bytes
internal import Formats
import HostModel
internal import Port

/// The processes of a host, each looked at once for all the readers of one plan.
///
/// What has changed since is of no account to a plan: whoever acts on a process tells it from later
/// ones by its start time.
final class ProcessTable {
  private let kernel: any KernelReader
  private var pids: [Int]?
  private var stats: [Int: ProcessStat?] = [:]
  private var openFiles: [Int: [String]] = [:]
  private var workers: [Worker]?
  /// Why strangers' tasks and interrupts could not be read, which a plan does without.
  private(set) var skipped: [HostError] = []

  init(kernel: any KernelReader) { self.kernel = kernel }

  /// A thread of the kernel that works for a thread of a QEMU.
  struct Worker {
    var tid: Int
    var stat: ProcessStat
    /// The number of the thread that it works for.
    var owner: Int
    var role: ThreadRole
  }

  /// Those that are there, ascending by their numbers.
  func numbers() throws(HostError) -> [Int] {
    if let pids { return pids }
    let found = try kernel.entries(of: "/proc").compactMap(Quantity.process.number).sorted()
    pids = found
    return found
  }

  /// The `stat` of one; nil where it is gone, or cannot be read.
  ///
  /// In the fields that are looked at it says the same as that of the process's first thread
  /// (fs/proc/array.c, `do_task_stat()`).
  func stat(of pid: Int) -> ProcessStat? {
    if let known = stats[pid] { return known }
    let found = skippingFailure { () throws(HostError) in
      try ProcessReader(kernel: kernel).stat(at: "/proc/\(pid)/stat")
    }
    // Users may have hundreds of thousands: of those beyond what a host has itself, each is read anew.
    if stats.count < Self.remembered { stats[pid] = .some(found) }
    return found
  }

  private static let remembered = 16_384

  /// What is found of a stranger; nil where that is gone, or cannot be read: no task and no interrupt may
  /// keep a plan from being made by what it is.
  func skippingFailure<Found>(_ read: () throws(HostError) -> Found?) -> Found? {
    do throws(HostError) {
      return try read()
    } catch {
      if !error.isAbsence { skipped.append(error) }
      return nil
    }
  }

  /// The threads of vhost before Linux 6.4, and those that play a timer.
  ///
  /// `vhost-N` carries the number of the thread that opened the device, `kvm-pit/N` that of the
  /// process. Only threads of the kernel count: a process may call itself whatever it likes.
  func workersOfQEMUs() throws(HostError) -> [Worker] {
    if let workers { return workers }
    var found: [Worker] = []
    for tid in try numbers() {
      guard let stat = stat(of: tid), stat.isKernelThread else { continue }
      if let owner = stat.name.number(after: "vhost-") {
        found.append(Worker(tid: tid, stat: stat, owner: owner, role: .vhost))
      } else if let owner = stat.name.number(after: "kvm-pit/") {
        found.append(Worker(tid: tid, stat: stat, owner: owner, role: .worker))
      }
    }
    workers = found
    return found
  }

  /// The paths that a process has open in `/dev`.
  ///
  /// A process that ends meanwhile, or that may not be looked into, has none.
  func deviceFiles(of pid: Int) -> [String] {
    if let known = openFiles[pid] { return known }
    let descriptors = (try? kernel.entries(of: "/proc/\(pid)/fd")) ?? []
    let found = descriptors.compactMap { descriptor in
      let path = try? kernel.destination(of: "/proc/\(pid)/fd/\(descriptor)")
      return path.flatMap { $0.begins(with: "/dev/") ? $0 : nil }
    }
    openFiles[pid] = found
    return found
  }
}
