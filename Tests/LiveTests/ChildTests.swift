import Bytes
import CLinux
import Glibc
import HostModel
import Port
import Support
import Testing

@testable import Live

/// Children that live in their caller's memory, as far as `AbandonableTests` do not see them.
@Suite(.serialized)
struct ChildTests {
  let directory = TemporaryDirectory()

  @Test(arguments: [("/bin/true", 0), ("/bin/false", 1), ("/nonexistent", 127)])
  func aProgramsStatusIsTold(_ program: String, _ status: Int) {
    #expect(run(program, "x", milliseconds: 5000) == status)
  }

  @Test func aProgramIsGivenUpAtTheDeadlineAndEndsWithItsStarter() throws {
    #expect(run("/bin/sleep", "61.7", milliseconds: 150) == Int(-ETIMEDOUT))
    let end = LiveKernel().now.advanced(byMilliseconds: 5000)
    while try sleeps("61.7"), LiveKernel().now < end { usleep(5000) }
    #expect(try !sleeps("61.7"))
  }

  /// The caller's errno is in the memory that the child shares.
  @Test func aChildsFailureIsNotTheCallersErrno() {
    var leftBehind: Int32 = 0
    errno = EXDEV
    let result = clinux_write_abandonable(
      "/nonexistent/file", "1", 1, deadline(5000), &leftBehind)
    let after = errno
    #expect(result == Int(-ENOENT))
    #expect(after == EXDEV)
  }

  /// A handler would change what belongs to the caller.
  @Test func theCallersHandlersDoNotRunInAChild() async {
    await #expect(processExitsWith: .success) {
      // The threads of tests block signals, as a hook's does not.
      var none = sigset_t()
      pthread_sigmask(SIG_SETMASK, &none, nil)
      signal(SIGUSR1) { _ in _exit(3) }
      signal(SIGUSR2, SIG_IGN)
      let directory = TemporaryDirectory()
      let fifo = directory.fifo("bind")
      var thread = pthread_t()
      pthread_create(&thread, nil, { _ in signalWriter() }, nil)
      var leftBehind: Int32 = 0
      let result = clinux_write_abandonable(fifo.cString, "1", 1, deadline(5000), &leftBehind)
      try #require(result == Int(-ECANCELED))
    }
  }

  /// What a child took is given back, whatever became of it.
  @Test func memoryIsGivenBack() throws {
    let path = directory.file("value", "old")
    let fifo = directory.fifo("bind")
    var leftBehind: Int32 = 0
    func writeAll() {
      #expect(clinux_write_abandonable(path.cString, "1", 1, deadline(5000), &leftBehind) == 1)
      #expect(
        clinux_write_abandonable(fifo.cString, "1", 1, deadline(20), &leftBehind) == Int(-ETIMEDOUT)
      )
    }
    writeAll()
    let before = try sharedMappings()
    for _ in 0..<20 { writeAll() }
    // Other tests have children at the same time, but not as many.
    #expect(try sharedMappings() < before + 20)
  }

  private func run(_ program: String, _ argument: String, milliseconds: Int) -> Int {
    var leftBehind: Int32 = 0
    return clinux_load_module(program, argument, deadline(milliseconds), &leftBehind)
  }

  private func sleeps(_ seconds: String) throws -> Bool {
    let kernel = LiveKernel()
    return try kernel.entries(of: "/proc").contains { name in
      Int(name) != nil
        && (try? kernel.text(of: "/proc/\(name)/cmdline")) == "/bin/sleep\0--\0\(seconds)\0"
    }
  }

  /// Mappings of memory that is shared and has no file.
  private func sharedMappings() throws -> Int {
    try LiveKernel().text(of: "/proc/self/maps").split(separator: "\n")
      .filter { $0.contains("rw-s") && $0.contains("/dev/zero") }.count
  }
}

private func deadline(_ milliseconds: Int) -> UInt64 {
  LiveKernel().now.advanced(byMilliseconds: milliseconds).nanoseconds
}

/// Sends a signal that is ignored and one that has a handler to this process's child, once it is
/// there and sleeps in a call.
private func signalWriter() -> UnsafeMutableRawPointer? {
  while true {
    for pid in writers() {
      kill(pid, SIGUSR2)
      usleep(50_000)
      kill(pid, SIGUSR1)
      return nil
    }
    usleep(5000)
  }
}

private func writers() -> [Int32] {
  let kernel = LiveKernel()
  return ((try? kernel.entries(of: "/proc")) ?? []).compactMap { Int32($0) }
    .filter { isBlockedChild($0, kernel) }
}
