internal import Bytes
package import HostModel
package import Ledger
package import Port

/// The ledger in `/run/berth`, beside the kernel state that it describes.
///
/// The file `ledger` is replaced at once, `lock` guards it, and each slow setting has a lock of its
/// own. Nothing is made before there is something to write. The format is that of `LedgerText`;
/// docs/LEDGER.md specifies both.
package final class LedgerFile: LedgerStore {
  /// The most that a ledger may hold: far more than the settings of a hundred domains.
  private static let capacity = 16 << 20

  private let folder: String
  private let kernel: any KernelReader
  /// For whom the locks are taken; others that wait in vain are told.
  private let user: String
  /// The folder once it has been opened, and checked.
  private var opened: RootOwnedDirectory?
  /// What the file said last: one phase reads it several times, mostly without a change.
  private var lastRead: (bytes: [UInt8], ledger: Ledger)?
  /// The boot once it has been read: no process lives in two.
  private var knownBoot: String?

  /// - Parameters:
  ///   - root: What stands before `/run`: nothing on the live host.
  ///   - kernel: The host's kernel, which knows the boot.
  ///   - user: For whom the ledger is used, for others that wait for it.
  package init(root: String, kernel: any KernelReader, user: String = "an administrator") {
    folder = root + "/run/berth"
    self.kernel = kernel
    self.user = user
  }

  package func load() throws(LedgerError) -> Ledger {
    guard let bytes = try bytes() else { return Ledger() }
    if let lastRead, lastRead.bytes == bytes { return lastRead.ledger }
    let ledger = try ledger(in: bytes)
    lastRead = (bytes, ledger)
    return ledger
  }

  private func ledger(in bytes: [UInt8]) throws(LedgerError) -> Ledger {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw try setAside(line: 1, because: "it is not UTF-8")
    }
    let boot = try boot()
    do throws(LedgerTextError) {
      let found = try LedgerText.decode(text)
      // What an earlier boot took, its end gave back.
      return found.boot == boot ? found.ledger : Ledger()
    } catch {
      switch error {
      case .newer(let version): throw .newer(path: path, version: version)
      case .damaged(let line, let why): throw try setAside(line: line, because: why)
      }
    }
  }

  package func save(_ ledger: Ledger) throws(LedgerError) {
    let text = LedgerText.encode(ledger, boot: try boot())
    do throws(HostError) {
      let directory = try madeDirectory()
      if ledger == Ledger() {
        try directory.remove("ledger")
      } else {
        try directory.replace("ledger", with: Array(text.utf8))
      }
    } catch {
      throw .host(error)
    }
  }

  package func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    let held = try taken(lock, until: deadline)
    return try withExtendedLifetime(held) { _ in try body() }
  }

  private func taken(
    _ lock: LedgerLock, until deadline: Deadline
  ) throws(LedgerError) -> FileLock {
    do throws(HostError) {
      return try FileLock(lock.fileName, in: madeDirectory(), for: user, until: deadline)
    } catch  where ErrorNumber(error.errno) == .timedOut {
      throw .locked(path: error.place, heldBy: error.diagnosis)
    } catch {
      throw .host(error)
    }
  }

  /// The ledgers that could not be read, kept for the administrator.
  package func damagedFiles() throws(LedgerError) -> [String] {
    do throws(HostError) {
      return try directory().entries().filter { $0.begins(with: "ledger.damaged") }
        .map { "\(folder)/\($0)" }
    } catch  where ErrorNumber(error.errno) == .notFound {
      return []
    } catch {
      throw .host(error)
    }
  }

  private var path: String { folder + "/ledger" }

  private func directory() throws(HostError) -> RootOwnedDirectory {
    if let opened { return opened }
    let directory = try RootOwnedDirectory(folder)
    opened = directory
    return directory
  }

  /// The folder, which is made where it is not there: for what is to be written.
  private func madeDirectory() throws(HostError) -> RootOwnedDirectory {
    if let opened { return opened }
    let directory = try RootOwnedDirectory.made(at: folder)
    opened = directory
    return directory
  }

  /// nil where there is no ledger, as nobody is in.
  private func bytes() throws(LedgerError) -> [UInt8]? {
    do throws(HostError) {
      return try directory().bytes(of: "ledger", limit: Self.capacity)
    } catch  where ErrorNumber(error.errno) == .notFound {
      return nil
    } catch {
      throw .host(error)
    }
  }

  /// Keeps a damaged ledger under another name: it is evidence of what was never given back.
  private func setAside(
    line: Int, because why: String
  ) throws(LedgerError) -> LedgerError {
    do throws(HostError) {
      let directory = try directory()
      let kept = "ledger.damaged.\(kernel.now.nanoseconds)"
      try directory.rename("ledger", to: kept)
      return .damaged(path: path, line: line, why: why, keptAs: "\(folder)/\(kept)")
    } catch {
      return .damaged(path: path, line: line, why: "\(why); \(error)", keptAs: nil)
    }
  }

  /// The random name that the kernel gives each boot; empty on a recorded host without one.
  private func boot() throws(LedgerError) -> String {
    if let knownBoot { return knownBoot }
    let boot = try readBoot()
    knownBoot = boot
    return boot
  }

  private func readBoot() throws(LedgerError) -> String {
    do throws(HostError) {
      return try kernel.text(of: "/proc/sys/kernel/random/boot_id").trimmed
    } catch  where ErrorNumber(error.errno) == .notFound {
      return ""
    } catch {
      throw .host(error)
    }
  }
}

extension LedgerLock {
  /// The name of the lock's file.
  fileprivate var fileName: String {
    switch self {
    case .ledger: "lock"
    case .setting(let setting): "lock." + setting.lockName
    }
  }
}
