import Bytes
import Glibc
import HostModel
import Port
import Support
import Testing

@testable import Live

extension AbandonableTests.Reads {
  @Test(arguments: [0, 1, 4_096, 8_000, 100_000])
  func readsAsTheOtherReadDoes(count: Int) throws {
    let text = String(repeating: "x", count: count)
    let path = directory.file("value", text)
    #expect(try kernel.bytes(of: path, until: soon(5_000)) == Array(text.utf8))
    #expect(try kernel.bytes(of: path) == Array(text.utf8))
  }

  @Test func readsFilesOfProcesses() throws {
    let path: HostPath = "/proc/\(getpid())/cmdline"
    let bytes = try kernel.bytes(of: path)
    #expect(!bytes.isEmpty)
    #expect(bytes == (try kernel.bytes(of: path, until: soon(5_000))))
  }

  @Test func tellsTheNumberOfARefusal() {
    let path: HostPath = "\(directory.place)/missing"
    let error = #expect(throws: HostError.self) { try kernel.bytes(of: path, until: soon(5_000)) }
    #expect(error == HostError(.read, path, errno: ENOENT))
    let folder = #expect(throws: HostError.self) {
      try kernel.bytes(of: directory.place, until: soon(5_000))
    }
    #expect(folder?.errno == EISDIR)
    let nowhere = #expect(throws: HostError.self) {
      try kernel.bytes(of: HostPath(foreign: "a/../b"), until: soon(5_000))
    }
    #expect(nowhere?.errno == EINVAL)
  }

  @Test func readsNoMoreThanThereIsRoomFor() {
    let path = directory.file("long", String(repeating: "x", count: (4 << 20) + 1))
    let error = #expect(throws: HostError.self) { try kernel.bytes(of: path, until: soon(5_000)) }
    #expect(error?.errno == EFBIG)
  }

  @Test func isGivenUpAtTheDeadline() {
    let path = directory.fifo("driver_override")
    let start = kernel.now
    let error = #expect(throws: HostError.self) {
      try kernel.bytes(of: path, until: start.advanced(byMilliseconds: 150))
    }
    #expect(error?.errno == ETIMEDOUT)
    #expect(error?.operation == .read)
    #expect(error?.diagnosis == "it was given up at its deadline")
    // It was killed and buried: nobody waits in the kernel.
    #expect(error?.leftBehind == nil)
    #expect((150..<2_000).contains(kernel.now.milliseconds(from: start)))
    let late = #expect(throws: HostError.self) { try kernel.bytes(of: path, until: start) }
    #expect(late?.errno == ETIMEDOUT)
  }

  @Test func whoDidNotAnswerOnceIsWaitedForLess() {
    let path = directory.fifo("cmdline")
    let start = kernel.now
    for _ in 0..<3 {
      #expect(throws: HostError.self) {
        try kernel.bytes(of: path, until: kernel.now.advanced(byMilliseconds: 600))
      }
    }
    #expect((700..<1_700).contains(kernel.now.milliseconds(from: start)))
  }

  /// A sleeping program stands for a child that the kernel does not let go.
  @Test func whereAChildWasLeftBehindNobodyElseIsSentUntilItIsGone() throws {
    let device: HostPath = "\(directory.place)/0000:41:00.0"
    directory.directory("0000:41:00.0")
    directory.file("0000:41:00.0/driver_override", "vfio-pci\n")
    let path: HostPath = "\(device)/driver_override"
    var child: pid_t = 0
    let words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("60"), nil]
    defer { words.forEach { free($0) } }
    try #require(posix_spawn(&child, "/bin/sleep", nil, nil, words, nil) == 0)
    LeftBehind.note(child, at: "\(device)/driver/unbind")

    let read = #expect(throws: HostError.self) { try kernel.bytes(of: path, until: soon(5_000)) }
    #expect(read?.errno == ETIMEDOUT)
    #expect(read?.leftBehind == Int(child))
    let write = #expect(throws: HostError.self) {
      try kernel.write("x", to: path, until: soon(5_000))
    }
    #expect(write?.leftBehind == Int(child))
    #expect(write?.value == "x")
    // Nobody else waits for it.
    let other = directory.file("value", "1")
    #expect(try kernel.bytes(of: other, until: soon(5_000)) == [UInt8(ascii: "1")])

    kill(child, SIGKILL)
    try kernel.wait(until: soon(5_000)) { () throws(HostError) in
      LeftBehind.child(at: path) == nil
    }
    #expect(try kernel.word(of: path) == "vfio-pci")
    #expect(try kernel.bytes(of: path, until: soon(5_000)).count == 9)
  }
}

private func soon(_ milliseconds: Int) -> Deadline {
  LiveKernel().now.advanced(byMilliseconds: milliseconds)
}
