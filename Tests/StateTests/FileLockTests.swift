import Bytes
import Glibc
import HostModel
import Port
import Support
import Testing

@testable import Live
@testable import State

/// Two descriptors of one file exclude each other as two processes do, so that one process can
/// play both.
struct FileLockTests {
  let directory = TemporaryDirectory()

  @Test func isHeldByOneAtATime() throws {
    let opened = try RootOwnedDirectory(directory.path)
    let held = try FileLock("lock", in: opened, for: "web", until: soon(5000))
    let error = #expect(throws: HostError.self) {
      _ = try FileLock("lock", in: opened, for: "db", until: soon(50))
    }
    #expect(
      error
        == HostError(
          .lock, "\(directory.place)/lock", errno: ETIMEDOUT,
          diagnosis: "process \(getpid()), for web"))
    withExtendedLifetime(held) { _ in }
  }

  @Test func isFreeAfterItsHolder() throws {
    let opened = try RootOwnedDirectory(directory.path)
    for _ in 0..<3 {
      _ = try FileLock("lock", in: opened, for: "web", until: soon(0))
    }
    #expect(try LiveKernel().text(of: "\(directory.place)/lock") == "")
  }

  @Test func locksOfTwoNamesDoNotMeet() throws {
    let opened = try RootOwnedDirectory(directory.path)
    let first = try FileLock("a", in: opened, for: "web", until: soon(0))
    let second = try FileLock("b", in: opened, for: "web", until: soon(0))
    withExtendedLifetime(first) { _ in }
    withExtendedLifetime(second) { _ in }
  }

  @Test func waitsUntilItsDeadlineAndNoLonger() throws {
    let opened = try RootOwnedDirectory(directory.path)
    let held = try FileLock("lock", in: opened, for: "web", until: soon(5000))
    let start = LiveKernel().now
    #expect(throws: HostError.self) {
      _ = try FileLock("lock", in: opened, for: "db", until: start.advanced(byMilliseconds: 100))
    }
    let elapsed = LiveKernel().now.nanoseconds - start.nanoseconds
    #expect((100_000_000..<2_000_000_000).contains(elapsed + 1_000_000))
    withExtendedLifetime(held) { _ in }
  }

  @Test func aKilledHolderHoldsNothing() throws {
    let opened = try RootOwnedDirectory(directory.path)
    // As if its holder had been killed: the text stands, the lock is gone.
    directory.file("lock", "4711 web")
    let held = try FileLock("lock", in: opened, for: "db", until: soon(0))
    #expect(try LiveKernel().text(of: "\(directory.place)/lock") == "\(getpid()) db")
    withExtendedLifetime(held) { _ in }
  }

  @Test func aNameBringsNoControlCharactersIntoAMessage() throws {
    let opened = try RootOwnedDirectory(directory.path)
    let held = try FileLock("lock", in: opened, for: "a\n\u{1b}[31mb", until: soon(0))
    let error = #expect(throws: HostError.self) {
      _ = try FileLock("lock", in: opened, for: "db", until: soon(0))
    }
    #expect(error?.diagnosis == "process \(getpid()), for a[31mb")
    withExtendedLifetime(held) { _ in }
  }

  @Test func isNoLink() throws {
    let opened = try RootOwnedDirectory(directory.path)
    directory.file("victim", "untouched")
    directory.link("lock", to: "victim")
    let error = #expect(throws: HostError.self) {
      _ = try FileLock("lock", in: opened, for: "web", until: soon(0))
    }
    #expect(error?.errno == ELOOP)
    #expect(try LiveKernel().text(of: "\(directory.place)/victim") == "untouched")
  }

  /// An abandoned writer would otherwise keep a lock of its caller for as long as the kernel keeps
  /// the writer.
  @Test func doesNotLiveOnInAWriterThatIsLeftBehind() throws {
    let opened = try RootOwnedDirectory(directory.path)
    let fifo = directory.fifo("unbind")
    do {
      let held = try FileLock("lock", in: opened, for: "web", until: soon(0))
      #expect(throws: HostError.self) { try LiveKernel().write("1", to: fifo, until: soon(50)) }
      withExtendedLifetime(held) { _ in }
    }
    _ = try FileLock("lock", in: opened, for: "db", until: soon(500))
  }

  private func soon(_ milliseconds: Int) -> Deadline {
    LiveKernel().now.advanced(byMilliseconds: milliseconds)
  }
}
