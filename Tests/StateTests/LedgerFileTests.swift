import Bytes
import Glibc
import HostModel
import Ledger
import Port
import Support
import Testing

@testable import Live
@testable import State

/// The file is read and written no more than there is to know and to say, and never a time less.
struct LedgerFileTests {
  let directory = TemporaryDirectory()

  init() { directory.directory("run") }

  private var path: String { "\(directory.path)/run/berth/ledger" }

  private func store() -> LedgerFile { LedgerFile(root: directory.path, kernel: LiveKernel()) }

  private func ledger(_ names: String...) -> Ledger {
    var ledger = Ledger()
    for name in names {
      let id = HolderID(hypervisor: .libvirt, id: name)
      ledger.put(Holder(id: id, name: name))
      ledger.entries.append(
        Entry(
          setting: .module(name), original: ModuleState.loaded,
          claims: [HeldClaim(holder: id, claim: .exactly(ModuleState.absent), reason: "test")]))
    }
    return ledger
  }

  /// Which file has the name now.
  private func inode() throws -> UInt {
    var status = stat()
    #expect(stat(path, &status) == 0)
    return UInt(status.st_ino)
  }

  @Test func whatDidNotChangeIsNotWrittenAgain() throws {
    let store = store()
    try store.save(ledger("a"))
    let first = try inode()
    try store.save(ledger("a"))
    #expect(try inode() == first)
    try store.save(ledger("a", "b"))
    #expect(try inode() != first)
    #expect(try store.load() == ledger("a", "b"))
  }

  @Test func claimsDoNotGrowBeyondWhatIsReadAgain() throws {
    let store = store()
    var ledger = ledger("a")
    try store.save(ledger)
    let name = String(repeating: "m", count: 100)
    for number in 0..<20_000 {
      ledger.entries.append(
        Entry(
          setting: .module("\(name)\(number)"), original: ModuleState.loaded,
          claims: ledger.entries[0].claims))
    }
    #expect(throws: LedgerError.self) { try store.save(ledger) }
    #expect(try store.load().entries.count == 1)
    // What is booked of settings that are on record has room.
    ledger.entries.removeLast(10_000)
    try store.save(ledger)
    for index in ledger.entries.indices {
      ledger.entries[index].written = .text(String(repeating: "w", count: 200))
    }
    try store.save(ledger)
    #expect(try self.store().load() == ledger)
  }

  @Test func whatAnotherProcessSavedIsSeen() throws {
    let (one, other) = (store(), store())
    try one.save(ledger("a"))
    #expect(try other.load() == ledger("a"))
    try other.save(ledger("b"))
    #expect(try one.load() == ledger("b") && one.loadHead().holders.map(\.name) == ["b"])
    // What it has saved itself is not there any more.
    try one.save(ledger("a"))
    #expect(try other.load() == ledger("a"))
    try one.save(Ledger())
    #expect(try other.load() == Ledger() && other.loadHead() == LedgerHead(of: Ledger()))
  }

  @Test func whatSomebodyWroteIntoTheFileIsSeen() throws {
    let store = store()
    try store.save(ledger("a"))
    let file = try #require(fopen(path, "a"))
    fputs("x", file)
    fclose(file)
    let error = #expect(throws: LedgerError.self) { try store.load() }
    guard case .damaged(_, let line, _, let keptAs) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(line == 9 && keptAs != nil)
    #expect(try store.load() == Ledger() && store.damagedFiles().count == 1)
  }

  @Test func theHeadIsThatOfTheWhole() throws {
    try store().save(ledger("a", "b"))
    let store = store()
    #expect(try store.loadHead() == LedgerHead(of: ledger("a", "b")))
    #expect(try store.load() == ledger("a", "b"))
    #expect(try store.loadHead() == LedgerHead(of: ledger("a", "b")))
  }

  @Test func anOlderVersionIsReadAndWrittenAnewWithTheNextChange() throws {
    let boot = try LiveKernel().text(of: "/proc/sys/kernel/random/boot_id").dropLast()
    directory.directory("run/berth")
    directory.file(
      "run/berth/ledger",
      LedgerText.resealed(
        """
        berth-ledger 1
        boot \(boot)
        holder libvirt:a a - - % 0
        entry module a text loaded - - - - -
        claim libvirt:a exactly text not%20loaded test
        end 5 0

        """))
    let store = store()
    // A VM of which no more is known is taken for one that has arrived.
    var old = ledger("a")
    old.holders[0].hasArrived = true
    #expect(try store.loadHead() == LedgerHead(of: old))
    let before = try inode()
    try store.save(store.load())
    #expect(try inode() == before)
    try store.save(ledger("a", "b"))
    #expect(try LiveKernel().text(of: HostPath(foreign: path)).hasPrefix("berth-ledger 4\n"))
  }

  @Test func aNewerVersionIsNamedAndLeftWhereItIs() throws {
    directory.directory("run/berth")
    directory.file("run/berth/ledger", "berth-ledger 5\nwho knows\n")
    let store = store()
    let newer = LedgerError.newer(path: path, version: "5")
    #expect(throws: newer) { try store.load() }
    #expect(throws: newer) { try store.loadHead() }
    #expect(try LiveKernel().text(of: HostPath(foreign: path)) == "berth-ledger 5\nwho knows\n")
  }

  @Test func whatAnEarlierBootLeftCountsAsNothingAndGoesWithTheFirstSave() throws {
    directory.directory("run/berth")
    directory.file(
      "run/berth/ledger",
      String(decoding: LedgerText.encode(ledger("a"), boot: "another"), as: UTF8.self))
    let store = store()
    #expect(try store.loadHead() == LedgerHead(of: Ledger()) && store.load() == Ledger())
    try store.save(Ledger())
    #expect(access(path, F_OK) != 0)
  }
}
