import Bytes
import Glibc
import HostModel
import Port
import Support
import Testing

@testable import Live

extension AbandonableTests.Writes {
  @Test func writesAsTheOtherWriteDoes() throws {
    let path = directory.file("nr_hugepages", "1000\n")
    try kernel.write("8", to: path, until: soon(5000))
    #expect(try kernel.text(of: path) == "8")
  }

  @Test func tellsTheNumberOfARefusal() {
    let path: HostPath = "\(directory.place)/missing"
    let error = #expect(throws: HostError.self) {
      try kernel.write("1", to: path, until: soon(5000))
    }
    #expect(error == HostError(.write, path, value: "1", errno: ENOENT))
  }

  @Test func isGivenUpAtTheDeadline() {
    let path = directory.fifo("unbind")
    let start = kernel.now
    let error = #expect(throws: HostError.self) {
      try kernel.write("1", to: path, until: start.advanced(byMilliseconds: 150))
    }
    #expect(error?.errno == ETIMEDOUT)
    #expect(error?.diagnosis == "it was given up at its deadline")
    let elapsed = kernel.now.nanoseconds - start.nanoseconds
    #expect((150_000_000..<3_000_000_000).contains(elapsed))
  }

  @Test func doesNothingAfterTheDeadline() throws {
    let path = directory.file("value", "old")
    let error = #expect(throws: HostError.self) {
      try kernel.write("new", to: path, until: kernel.now)
    }
    #expect(error?.errno == ETIMEDOUT)
    #expect(try kernel.text(of: path) == "old")
  }

  /// Both hypervisors read a hook's output to its end, which a writer that held it would keep
  /// from coming.
  @Test func theWriterHoldsNoneOfTheCallersFiles() throws {
    let path = directory.fifo("bind")
    var pipe: [Int32] = [0, 0]
    #expect(Glibc.pipe(&pipe) == 0)
    defer { close(pipe[0]) }

    let writer = Writing(to: path, milliseconds: 1500)
    let child = try #require(writer.child(of: kernel, writing: path))
    close(pipe[1])
    #expect(try kernel.entries(of: "/proc/\(child)/fd").count == 4)
    for number in 0..<3 {
      #expect(try kernel.destination(of: "/proc/\(child)/fd/\(number)") == "/dev/null")
    }
    // The end of the pipe comes although the child lives.
    var byte: UInt8 = 0
    #expect(read(pipe[0], &byte, 1) == 0)
    #expect(kernel.exists("/proc/\(child)"))
    #expect(writer.result()?.errno == ETIMEDOUT)
    #expect(!kernel.exists("/proc/\(child)"))
  }

  @Test func aWriterThatSomebodyElseKillsIsNoSuccess() throws {
    let path = directory.fifo("probe")
    let writer = Writing(to: path, milliseconds: 5000)
    let child = try #require(writer.child(of: kernel, writing: path))
    #expect(kill(child, SIGKILL) == 0)
    #expect(writer.result()?.errno == ECANCELED)
  }

  /// The kernel buries the writer by itself.
  ///
  /// Proxmox' daemons let their children inherit that SIGCHLD is ignored. In a process of its own, as it would disturb every other test.
  @Test func copesWithIgnoredEndsOfChildren() async {
    await #expect(processExitsWith: .success) {
      signal(SIGCHLD, SIG_IGN)
      let kernel = LiveKernel()
      let directory = TemporaryDirectory()
      let path = directory.file("value", "old")
      try kernel.write("new", to: path, until: soon(5000))
      try #require(try kernel.text(of: path) == "new")
      let refusal = #expect(throws: HostError.self) {
        try kernel.write("1", to: "\(directory.place)/missing", until: soon(5000))
      }
      try #require(refusal?.errno == ENOENT)
      let fifo = directory.fifo("fifo")
      let end = #expect(throws: HostError.self) {
        try kernel.write("1", to: fifo, until: soon(100))
      }
      try #require(end?.errno == ETIMEDOUT)
    }
  }

  @Test func copesWithClosedStandardFiles() async {
    await #expect(processExitsWith: .success) {
      let directory = TemporaryDirectory()
      let path = directory.file("value", "old")
      for number in 0..<3 as Range<Int32> { close(number) }
      let kernel = LiveKernel()
      try kernel.write("new", to: path, until: soon(5000))
      guard try kernel.text(of: path) == "new" else { exit(1) }
      exit(0)
    }
  }
}

private func soon(_ milliseconds: Int) -> Deadline {
  LiveKernel().now.advanced(byMilliseconds: milliseconds)
}

/// A write that goes on in a thread of its own.
private final class Writing: @unchecked Sendable {
  private let path: HostPath
  private let deadline: Deadline
  private var thread = pthread_t()
  private var error: HostError?

  init(to path: HostPath, milliseconds: Int) {
    self.path = path
    deadline = soon(milliseconds)
    let retained = Unmanaged.passRetained(self).toOpaque()
    pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Writing>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, retained)
  }

  private func run() {
    do throws(HostError) {
      try LiveKernel().write("1", to: path, until: deadline)
    } catch {
      self.error = error
    }
  }

  /// How the write failed; waits for its end.
  func result() -> HostError? {
    pthread_join(thread, nil)
    return error
  }

  /// The writing child, once it blocks: the only child whose call is an open of this path.
  func child(of kernel: LiveKernel, writing path: HostPath) -> Int32? {
    while deadline > kernel.now {
      for name in (try? kernel.entries(of: "/proc")) ?? [] {
        guard let pid = Int32(name), pid != getpid(), isBlockedChild(pid, kernel),
          (try? kernel.entries(of: "/proc/\(pid)/fd"))?.count == 4
        else { continue }
        return pid
      }
      usleep(5000)
    }
    return nil
  }
}
