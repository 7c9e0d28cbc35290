import Bytes
import Glibc
import HostModel
import Support
import SystemCalls
import Testing

@testable import Live

/// Programs that are run to their end, and qm(1) among them.
struct ProgramTests {
  private let directory = TemporaryDirectory()

  private func program(_ text: String) -> HostPath {
    directory.file("program", "#!/bin/sh\n" + text, mode: 0o755)
  }

  private func soon(_ milliseconds: Int = 10_000) -> Deadline {
    .now.advanced(byMilliseconds: milliseconds)
  }

  @Test func tellsTheStatusAndWhatWasSaid() throws {
    let path = program("echo \"$2 $1\"; echo sorry >&2; exit 3\n")
    let ended = try Program.run(path, ["a b", "$HOME;x"], until: soon())
    #expect(ended.status == 3)
    #expect(String(decoding: ended.output, as: UTF8.self) == "$HOME;x a b\nsorry\n")
    #expect(try Program.run(program("kill -9 $$\n"), [], until: soon()).status == 128 + SIGKILL)
  }

  @Test func hasNothingOnItsInputAndNothingOfTheCallersEnvironment() throws {
    let ended = try Program.run(program("cat; env | sort\n"), [], until: soon())
    let variables = String(decoding: ended.output, as: UTF8.self).fields(at: "\n")
      .filter { !$0.begins(with: "PWD=") && !$0.begins(with: "_=") }
    #expect(variables == ["HOME=/root", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
  }

  @Test func keepsTheBeginningOfALongAnswer() throws {
    let ended = try Program.run(program("yes | head -c 300000\n"), [], until: soon())
    #expect(ended.status == 0 && ended.output.count == 64 << 10)
  }

  @Test func doesNotWaitForWhatItLeavesRunning() throws {
    let start = Deadline.now
    let ended = try Program.run(program("sleep 20 & echo on\n"), [], until: soon())
    #expect(ended.status == 0 && ended.output.starts(with: "on".utf8))
    #expect(Deadline.now.milliseconds(from: start) < 10_000)
  }

  @Test func isEndedAtTheDeadline() {
    let start = Deadline.now
    let path = program("sleep 20\n")
    let error = #expect(throws: HostError.self) {
      try Program.run(path, [], until: start.advanced(byMilliseconds: 200))
    }
    #expect(error?.errno == ETIMEDOUT)
    #expect((200..<10_000).contains(Deadline.now.milliseconds(from: start)))
  }

  @Test func tellsWhyItCannotBeRun() {
    let missing: HostPath = "\(directory.place)/missing"
    let error = #expect(throws: HostError.self) { try Program.run(missing, [], until: soon()) }
    #expect(error?.errno == ENOENT)
    let nowhere = #expect(throws: HostError.self) {
      try Program.run(HostPath(foreign: "a/../b"), [], until: soon())
    }
    #expect(nowhere?.errno == EINVAL)
  }

  @Test func proxmoxIsToldByItsOwnProgram() throws {
    let path = program("echo \"$@\" >>\(directory.place)/calls\n")
    let qm = QM(program: path)
    try qm.setHookscript("local:snippets/berth", of: "100", until: soon())
    try qm.setHookscript(nil, of: "101", until: soon())
    let calls: HostPath = "\(directory.place)/calls"
    #expect(
      try LiveKernel().bytes(of: calls)
        == Array("set 100 --hookscript local:snippets/berth\nset 101 --delete hookscript\n".utf8))
  }

  @Test func proxmoxRefusesInItsOwnWords() {
    let qm = QM(program: program("echo 'trying'; echo 'VM is locked (backup)' >&2; exit 255\n"))
    let error = #expect(throws: HostError.self) {
      try qm.setHookscript(nil, of: "100", until: soon())
    }
    #expect(
      error?.description == "cannot call qm set 100 --delete hookscript (VM is locked (backup))")
    let silent = #expect(throws: HostError.self) {
      try QM(program: program("exit 2\n")).setHookscript(nil, of: "100", until: soon())
    }
    #expect(silent?.diagnosis == "it ended with 2")
  }
}
