import Bytes
import Formats
import Glibc
import HostModel
import Live
import Support
internal import SystemCalls
import Testing

@testable import Recorded

/// What is read below the folder of a recorded host, and that nothing outside of it is.
struct RecordedTreeTests {
  private func folder() -> TemporaryDirectory {
    let folder = TemporaryDirectory()
    folder.file("secret", "outside")
    folder.directory("host")
    folder.directory("host/sys")
    folder.file("host/sys/file", "inside")
    folder.file("host/secret", "still inside")
    folder.link("host/sys/link", to: "file")
    folder.link("host/sys/absolute", to: "/sys/file")
    folder.link("host/sys/above", to: "../../../../secret")
    folder.link("host/sys/ring", to: "ring")
    folder.link("host/sys/dangling", to: "nothing")
    return folder
  }

  /// Each path with what it reads, by the kernel's walk and by the one here, which stands in for it
  /// before Linux 5.6.
  @Test(arguments: [
    ("/sys/file", "inside"), ("/sys/link", "inside"), ("/sys/absolute", "inside"),
    ("/sys/above", "still inside"), ("/sys/./link", "inside"), ("//sys//file/", "inside"),
  ])
  func staysInside(path: String, text: String) throws {
    let folder = folder()
    let tree = RecordedTree(root: folder.path + "/host/")
    let path = HostPath(foreign: path)
    #expect(try tree.text(of: path) == text)
    let file = try tree.walked(path, O_RDONLY, for: .read)
    #expect(String(decoding: try file.bytes(limit: 100), as: UTF8.self) == text)
  }

  @Test(arguments: [
    ("/sys/ring", ELOOP), ("/sys/dangling", ENOENT), ("/nothing", ENOENT), ("/sys/file/x", ENOTDIR),
    ("/sys", EISDIR), ("/sys/fi\0le", EINVAL),
    ("/../secret", EINVAL), ("sys/file", EINVAL), ("", EINVAL),
  ])
  func saysWhyNot(path: String, number: Int32) throws {
    let tree = RecordedTree(root: folder().path + "/host")
    let error = #expect(throws: HostError.self) { try tree.text(of: HostPath(foreign: path)) }
    // The folder is gone by now, if its owner is.
    #expect(error?.errno == number || error?.errno == ENOENT)
  }

  @Test func tellsLinksFromWhatTheyLeadTo() throws {
    let folder = folder()
    let tree = RecordedTree(root: folder.path + "/host")
    #expect(tree.hasEntry("/sys/dangling") && !tree.exists("/sys/dangling"))
    #expect(try tree.destination(of: "/sys/above") == "../../../../secret")
    let error = #expect(throws: HostError.self) { try tree.destination(of: "/sys/file") }
    #expect(error?.errno == EINVAL)
    #expect(try tree.entries(of: "/").sorted() == ["secret", "sys"])
  }

  @Test func findsAHostThatWasMadeAnew() throws {
    let folder = folder()
    let tree = RecordedTree(root: folder.path + "/host")
    #expect(tree.exists("/sys/file"))
    try tree.remove("/sys")
    try tree.remove("/secret")
    try tree.removeRoot()
    #expect(!tree.exists("/sys/file"))
    folder.directory("host")
    folder.file("host/new", "new")
    #expect(try tree.text(of: "/new") == "new")
  }

  /// Links whose names a combining mark makes one `Character` with the slash behind it, and the other
  /// way round.
  @Test(arguments: [
    "LINK -> TARGET\nLINK/cron.d/evil\tpwned\n",
    "LINK -> ../../..TARGET\nLINK/cron.d/evil\tpwned\n",
    "a -> TARGET/cron.d\na/\u{301}evil\tpwned\n", "a -> TARGET\na/\u{20dd}/evil\tpwned\n",
  ])
  func nothingIsMadeOutside(lines: String) throws {
    let folder = TemporaryDirectory()
    for name in ["host", "outside", "outside/cron.d"] { folder.directory(name) }
    let text = lines.replacing("LINK", with: "a\u{600}")
      .replacing("TARGET", with: folder.path + "/outside")
    let host = try RecordedHost(parsing: text, from: "test")
    try? host.unpack(into: folder.path + "/host")
    let kernel = LiveKernel()
    #expect(try kernel.entries(of: "\(folder.place)/outside") == ["cron.d"])
    #expect(try kernel.entries(of: "\(folder.place)/outside/cron.d") == [])
    #expect(throws: HostError.self) { try RecordedHost(parsing: "a/../../x\ty", from: "test") }
  }

  @Test func waitsForNobodyAtAPipe() throws {
    let folder = folder()
    _ = folder.fifo("host/sys/pipe")
    #expect(try RecordedTree(root: folder.path + "/host").text(of: "/sys/pipe") == "")
  }
}
