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
  private static let capacity = 4 << 20
  /// What claims may come to, some 20,000 settings: what is booked of them later has room.
  private static let capacityForClaims = 2 << 20
  /// As much of it as the head of a ledger with hundreds of VMs takes.
  private static let headCapacity = 64 << 10

  private let folder: String
  private let kernel: any KernelReader
  /// For whom the locks are taken; others that wait in vain are told.
  private let user: String
  /// The folder once it has been opened, and checked.
  private var opened: RootOwnedDirectory?
  /// What the file said last: a phase asks several times, mostly without a change in between.
  private var known: (file: RootOwnedFile, ledger: Ledger)?
  /// A whole file that was read for its head alone.
  private var undecoded: (file: RootOwnedFile, bytes: [UInt8])?
  /// Whether this process holds the ledger's lock.
  private var isLocked = false
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
    if let ledger = try knownLedger() { return ledger }
    guard let (file, bytes) = try file(first: nil) else { return Ledger() }
    switch try ledger(in: bytes) {
    case .success(let ledger):
      known = (file, ledger)
      return ledger
    case .failure(.newer(let version)): throw .newer(path: path, version: version)
    case .failure(.damaged(let line, let why)): throw setAside(file, line: line, because: why)
    }
  }

  package func loadHead() throws(LedgerError) -> LedgerHead {
    if let ledger = try knownLedger() { return LedgerHead(of: ledger) }
    guard let (file, beginning) = try file(first: Self.headCapacity) else {
      return LedgerHead(of: Ledger())
    }
    if beginning.count == file.status.size { undecoded = (file, beginning) }
    // What has no head, or none that can be read, is for `load` to tell.
    guard let found = try? LedgerText.head(in: beginning) else {
      return LedgerHead(of: try load())
    }
    return try found.boot == boot() ? found.head : LedgerHead(of: Ledger())
  }

  /// What the file said last, where it is that file still, and nobody has changed it.
  private func knownLedger() throws(LedgerError) -> Ledger? {
    guard let known, try isStill(known.file) else { return nil }
    return known.ledger
  }

  /// Whether a file is the ledger still, as it was when it was read or written.
  private func isStill(_ file: RootOwnedFile) throws(LedgerError) -> Bool {
    do throws(HostError) {
      return try directory().status(of: "ledger") == file.status
    } catch {
      throw .host(error)
    }
  }

  private func ledger(in bytes: [UInt8]) throws(LedgerError) -> Result<Ledger, LedgerTextError> {
    let boot = try boot()
    do throws(LedgerTextError) {
      let found = try LedgerText.decode(bytes)
      // What an earlier boot took, its end gave back.
      return .success(found.boot == boot ? found.ledger : Ledger())
    } catch {
      return .failure(error)
    }
  }

  package func save(_ ledger: Ledger) throws(LedgerError) {
    let boot = try boot()
    let known = try knownLedger()
    if !ledger.isEmpty, known == ledger { return }
    let isGrowing = ledger.entries.count > known?.entries.count ?? 0
    do throws(HostError) {
      let directory = try madeDirectory()
      self.known = nil
      if ledger.isEmpty {
        try directory.remove("ledger")
      } else {
        let bytes = LedgerText.encode(ledger, boot: boot)
        if isGrowing, bytes.count > Self.capacityForClaims { throw tooLong }
        self.known = (try directory.replace("ledger", with: bytes), ledger)
      }
    } catch {
      throw .host(error)
    }
  }

  private var tooLong: HostError {
    HostError(
      .write, path, errno: ErrorNumber.tooBig.number,
      diagnosis: "VMs claim more settings than there can be on record")
  }

  package func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    let held = try taken(lock, until: deadline)
    if lock == .ledger { isLocked = true }
    defer { if lock == .ledger { isLocked = false } }
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

  /// The file and what is at its beginning, or all of it; nil where there is no ledger, as no VM is
  /// in.
  private func file(
    first count: Int?
  ) throws(LedgerError) -> (RootOwnedFile, [UInt8])? {
    defer { undecoded = nil }
    if let undecoded, try isStill(undecoded.file) { return undecoded }
    do throws(HostError) {
      let file = try directory().file("ledger")
      return (file, try file.bytes(first: count, limit: Self.capacity))
    } catch  where ErrorNumber(error.errno) == .notFound {
      return nil
    } catch {
      throw .host(error)
    }
  }

  /// How long a reader waits for whoever may be about to replace a damaged ledger.
  private static let patienceMilliseconds = 2_000

  /// Keeps a damaged ledger under another name: it is evidence of what was never given back.
  ///
  /// Under the lock only, and only the very file that was read: another process may have put that
  /// aside and written a ledger of its own.
  private func setAside(
    _ file: RootOwnedFile, line: Int, because why: String
  ) -> LedgerError {
    guard isLocked else {
      let patience = kernel.now.advanced(byMilliseconds: Self.patienceMilliseconds)
      do {
        return try withLock(.ledger, until: patience) { setAside(file, line: line, because: why) }
      } catch {
        return .damaged(path: path, line: line, why: "\(why); \(error)", keptAs: nil)
      }
    }
    do throws(HostError) {
      let directory = try directory()
      let kept = "ledger.damaged.\(kernel.now.nanoseconds)"
      guard try directory.status(of: "ledger") == file.status else {
        return .damaged(path: path, line: line, why: "\(why); it was replaced since", keptAs: nil)
      }
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
