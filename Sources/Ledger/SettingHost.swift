package import HostModel

/// A host whose settings can be looked at.
package protocol SettingReader {
  /// What stands in a setting now; nil if its place is gone, as with a VM's cgroup, an unplugged
  /// device, or a thread whose number belongs to somebody else now.
  ///
  /// - Throws: Where the place is there and cannot be read; `ETIMEDOUT` where it did not answer
  ///   until the deadline, or within the patience that a read has of its own.
  func read(_ setting: Setting, until deadline: Deadline) throws(HostError) -> Value?

  /// What stands in a setting that nobody has claimed before, with what of it does not show now; nil and
  /// errors as of `read(_:until:)`.
  func original(of setting: Setting, until deadline: Deadline) throws(HostError) -> Value?

  /// The CPUs beyond which nothing shows of those that a setting was given; nil where all show.
  ///
  /// The kernel keeps what a task was given and shows what its cpuset leaves of that.
  func confinement(of setting: Setting) throws(HostError) -> CPUList?

  /// What the host gives a setting that it makes anew (`KernelChanges.initial`); nil where it is not
  /// known.
  func initialValue(of setting: Setting) throws(HostError) -> Value?

  /// The CPUs that are online (`/sys/devices/system/cpu/online`).
  func onlineCPUs() throws(HostError) -> CPUList

  /// Whether the host has been asleep since its boot, with its CPUs offline.
  func hasSlept() throws(HostError) -> Bool
}

extension SettingReader {
  package func original(of setting: Setting, until deadline: Deadline) throws(HostError) -> Value? {
    try read(setting, until: deadline)
  }
}

/// The host as the engine sees it: places with values.
package protocol SettingHost: SettingReader {
  /// The settings that a collective stands for now, in a fixed order.
  func members(of collective: Collective) throws(HostError) -> [Setting]

  /// Puts a value there, by all that it takes: several writes, calls, and waiting for them.
  ///
  /// - Throws: Where it could not be done or the deadline passed. What stands there then has to
  ///   be read.
  func write(_ value: Value, to setting: Setting, until deadline: Deadline) throws(HostError)

  /// Does a step that leaves nothing to put back.
  func perform(_ step: Step, until deadline: Deadline) throws(HostError)

  /// Runs `body` while no other program that keeps to a lock of its own counts or changes a shared
  /// setting.
  ///
  /// - Throws: `ETIMEDOUT` if that lock was not to be had until the deadline; else what `body` throws.
  func whileAlone<Result>(
    with setting: Setting, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result

  /// The process that works here; nil where nobody can tell.
  func worker() throws(HostError) -> ProcessIdentity?

  /// The process that has a number now, such as that of a child that was left behind; nil where there
  /// is none.
  func process(numbered pid: Int) throws(HostError) -> ProcessIdentity?

  var now: Deadline { get }
}

extension SettingHost {
  /// Whether this very process runs; what cannot be read is no proof of its death.
  func isAlive(_ process: ProcessIdentity) -> Bool {
    do throws(HostError) {
      return try self.process(numbered: process.pid) == process
    } catch {
      return true
    }
  }
}

/// Where the ledger is kept, and what keeps two processes from changing the same thing.
package protocol LedgerStore {
  func load() throws(LedgerError) -> Ledger

  /// What the beginning of the ledger tells, for whoever may have no part in the rest.
  func loadHead() throws(LedgerError) -> LedgerHead

  /// Replaces the ledger at once and for good: after a crash it is either the old or the new one.
  ///
  /// Whoever calls it holds `LedgerLock.ledger`, and has loaded the ledger under that lock. Nothing
  /// is written where the ledger is the same already.
  func save(_ ledger: Ledger) throws(LedgerError)

  /// Runs `body` while no other process holds the same lock.
  ///
  /// - Throws: `LedgerError.locked` with the holder when the deadline passes; else what `body`
  ///   throws.
  func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result
}

extension LedgerStore {
  package func loadHead() throws(LedgerError) -> LedgerHead { LedgerHead(of: try load()) }
}

/// What is locked.
package enum LedgerLock: Hashable, Sendable {
  /// The ledger itself, and all settings that are quickly written.
  case ledger
  /// One slow setting.
  case setting(Setting)
}

/// Why the ledger could not be used.
package enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is not what Berth wrote; it was put aside at `keptAs`.
  case damaged(path: String, line: Int, why: String, keptAs: String?)
  /// A newer Berth wrote the file.
  case newer(path: String, version: String)
  case locked(path: String, heldBy: String?)
  case host(HostError)

  package var description: String {
    switch self {
    case .damaged(let path, let line, let why, let keptAs):
      "the ledger \(path) is damaged in line \(line): \(why)"
        + (keptAs.map { "; it is kept as \($0), and what it held is not given back" } ?? "")
    case .newer(let path, let version):
      "the ledger \(path) has version \(version), which only a newer berth can read"
    case .locked(let path, let heldBy):
      "waited in vain for \(path)" + (heldBy.map { ", held by \($0)" } ?? "")
    case .host(let error): "\(error)"
    }
  }
}
