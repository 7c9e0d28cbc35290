import Bytes
import Glibc
import HostModel
import Port
import Support
import Testing

@testable import Live
@testable import State

/// What others than root could have written is refused, whichever way it is offered.
struct RootOwnedDirectoryTests {
  let directory = TemporaryDirectory()

  @Test func readsAFileBelowTheDirectory() throws {
    directory.directory("profiles")
    directory.file("profiles/fast.toml", "x = 1\n", mode: 0o644)
    #expect(try text(of: "profiles/fast.toml") == "x = 1\n")
  }

  @Test func followsNoLink() throws {
    directory.file("real", "secret")
    directory.directory("folder")
    directory.file("folder/real", "secret")
    directory.link("link", to: "real")
    directory.link("way", to: "folder")
    #expect(refusal(of: "link")?.errno == ELOOP)
    #expect(refusal(of: "link")?.diagnosis == "it is a link")
    #expect([ELOOP, ENOTDIR].contains(refusal(of: "way/real")?.errno))
  }

  @Test func theDirectoryItselfIsNoLink() {
    directory.directory("folder")
    directory.link("way", to: "folder")
    #expect(throws: HostError.self) { _ = try RootOwnedDirectory("\(directory.place)/way") }
  }

  @Test(arguments: ["", ".", "..", "../x", "a/../x", "a//x", "/etc/passwd", "a/", "x\0y"])
  func leadsNowhereElse(file: String) {
    directory.directory("a")
    directory.file("x")
    directory.file("a/x")
    #expect(refusal(of: file)?.errno == EINVAL)
  }

  @Test(arguments: [0o620, 0o602, 0o666, 0o664] as [mode_t])
  func refusesWhatOthersCanWrite(mode: mode_t) throws {
    directory.file("berth.toml", "", mode: mode)
    let error = try #require(refusal(of: "berth.toml"))
    #expect(error.errno == EACCES)
    #expect(
      error.diagnosis
        == "its mode is \(String(mode, radix: 8)), so that others than root can write to it")
  }

  @Test func refusesAFolderThatOthersCanWrite() {
    directory.directory("open", mode: 0o777)
    directory.file("open/berth.toml")
    #expect(refusal(of: "open/berth.toml")?.place == "\(directory.place)/open")
    chmod(directory.path, 0o1777)
    #expect(throws: HostError.self) { _ = try RootOwnedDirectory(directory.path) }
  }

  @Test(.enabled(if: geteuid() == 0))
  func refusesWhatBelongsToSomebodyElse() throws {
    let path = directory.file("berth.toml")
    chown(path.cString, 1000, 1000)
    let error = try #require(refusal(of: "berth.toml"))
    #expect(error.errno == EACCES)
    #expect(error.diagnosis == "it belongs to user 1000 and has to belong to root")
  }

  @Test func refusesWhatIsNoFile() {
    _ = directory.fifo("fifo")
    directory.directory("folder")
    #expect(refusal(of: "fifo")?.diagnosis == "it is not a regular file")
    #expect(refusal(of: "folder")?.diagnosis == "it is not a regular file")
  }

  @Test func refusesWhatIsTooLong() throws {
    directory.file("policy", "12345678")
    let opened = try RootOwnedDirectory(directory.path)
    #expect(try opened.bytes(of: "policy", limit: 8).count == 8)
    let error = #expect(throws: HostError.self) { try opened.bytes(of: "policy", limit: 7) }
    #expect(error?.errno == EFBIG)
    #expect(error?.diagnosis == "it has more than 7 bytes")
  }

  @Test func tellsWhatIsNotThere() {
    #expect(refusal(of: "missing")?.errno == ENOENT)
    #expect(refusal(of: "missing/too")?.errno == ENOENT)
  }

  @Test func makesADirectoryForItsOwnerAlone() throws {
    let path = "\(directory.place)/run"
    _ = try RootOwnedDirectory.made(at: path)
    _ = try RootOwnedDirectory.made(at: path)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o7777 == 0o700)
  }
}

// Changing
extension RootOwnedDirectoryTests {
  @Test func replacesAFileAtOnce() throws {
    let path = directory.file("ledger", "a longer old text")
    let before = open(path.description, O_RDONLY)
    defer { close(before) }
    let opened = try RootOwnedDirectory(directory.path)
    try opened.replace("ledger", with: Array("new".utf8))
    #expect(try text(of: "ledger") == "new")
    // Who had the old one open reads the old one to its end.
    var bytes = [UInt8](repeating: 0, count: 64)
    #expect(read(before, &bytes, bytes.count) == 17)
    #expect(try opened.entries() == ["ledger"])
    var status = stat()
    #expect(stat(path.cString, &status) == 0)
    #expect(status.st_mode & 0o7777 == 0o600)
  }

  @Test func isNotHeldUpByWhatAKilledProcessLeft() throws {
    directory.file(".ledger.new", "half of a le")
    let opened = try RootOwnedDirectory(directory.path)
    try opened.replace("ledger", with: Array("whole".utf8))
    #expect(try opened.entries() == ["ledger"])
    #expect(try text(of: "ledger") == "whole")
  }

  @Test func removesWhatAKilledProcessLeft() throws {
    directory.file(".ledger.new", "half of a le")
    let opened = try RootOwnedDirectory(directory.path)
    try opened.remove("ledger")
    #expect(try opened.entries().isEmpty)
  }

  @Test func writesThroughNoLink() throws {
    directory.directory("elsewhere")
    let victim = directory.file("elsewhere/victim", "untouched")
    directory.link("ledger", to: victim.description)
    directory.link(".ledger.new", to: victim.description)
    let opened = try RootOwnedDirectory(directory.path)
    try opened.replace("ledger", with: Array("new".utf8))
    #expect(try LiveKernel().text(of: victim) == "untouched")
    #expect(try text(of: "ledger") == "new")
  }

  @Test func leavesNothingBehindAfterAFailure() throws {
    directory.directory("ledger")
    let opened = try RootOwnedDirectory(directory.path)
    let error = #expect(throws: HostError.self) { try opened.replace("ledger", with: [1]) }
    #expect(error?.errno == EISDIR)
    #expect(try opened.entries() == ["ledger"])
  }

  @Test func renamesAndRemoves() throws {
    directory.file("ledger", "text")
    let opened = try RootOwnedDirectory(directory.path)
    try opened.rename("ledger", to: "ledger.damaged")
    #expect(try opened.entries() == ["ledger.damaged"])
    try opened.remove("ledger.damaged")
    try opened.remove("ledger.damaged")
    #expect(try opened.entries().isEmpty)
  }

  private func text(of file: String) throws -> String {
    let opened = try RootOwnedDirectory(directory.path)
    return String(decoding: try opened.bytes(of: file, limit: 1000), as: UTF8.self)
  }

  /// Why a file is refused; nil if it is not.
  private func refusal(of file: String) -> HostError? {
    do throws(HostError) {
      _ = try RootOwnedDirectory(directory.path).bytes(of: file, limit: 1000)
      return nil
    } catch {
      return error
    }
  }
}
