import Bytes
import Glibc
import HostModel
import Support
import Testing

@testable import Live

/// What becomes of a question to a program that listens and never answers, or does not listen.
struct LocalStreamTests {
  /// Answers one question with what it was asked.
  @Test func oneThatListensIsHeard() throws {
    let path = directory.path + "/echo"
    let listener = try listen(at: path)
    defer { close(listener) }
    var thread = pthread_t()
    let started = pthread_create(
      &thread, nil,
      { pointer in
        let listener = Int32(Int(bitPattern: pointer))
        let connection = accept(listener, nil, nil)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(connection, &bytes, bytes.count, 0)
        send(connection, bytes, max(0, count), Int32(MSG_NOSIGNAL))
        close(connection)
        return nil
      }, UnsafeMutableRawPointer(bitPattern: Int(listener)))
    #expect(started == 0)
    let kernel = LiveKernel()
    let deadline = kernel.now.advanced(byMilliseconds: 60_000)
    #expect(try kernel.ask("setup", at: HostPath(foreign: path), until: deadline) == "setup")
    pthread_join(thread, nil)
  }

  private func listen(at path: String) throws -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un(path)
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0 && Glibc.listen(listener, 1) == 0)
    return listener
  }

  private let directory = TemporaryDirectory()

  @Test func nobodyWaitsForOneThatHangsLongerThanTheDeadline() throws {
    let path = directory.path + "/hangs"
    let listener = try listen(at: path)
    defer { close(listener) }
    let kernel = LiveKernel()
    let began = kernel.now
    let error = #expect(throws: HostError.self) {
      try kernel.ask(
        "setup", at: HostPath(foreign: path), until: began.advanced(byMilliseconds: 50))
    }
    #expect(error?.errno == ETIMEDOUT)
    #expect(kernel.now.milliseconds(from: began) < 5_000)
    // When it wakes it finds no question that it could answer to nobody.
    let connection = accept(listener, nil, nil)
    defer { close(connection) }
    var bytes = [UInt8](repeating: 0, count: 16)
    #expect(recv(connection, &bytes, bytes.count, 0) == 1 && bytes[0] == UInt8(ascii: "-"))
  }

  @Test func oneThatIsNotThereIsNotWaitedFor() throws {
    let kernel = LiveKernel()
    let path = directory.path + "/nobody"
    let deadline = kernel.now.advanced(byMilliseconds: 60_000)
    let error = #expect(throws: HostError.self) {
      try kernel.tell("settings cpus NULL", at: HostPath(foreign: path), until: deadline)
    }
    #expect(error?.errno == ENOENT)
  }
}
