import Bytes
import HostModel
internal import Recorded
import Support
import Testing

@testable import Formats

/// Archives of recorded hosts; `Tests/Recorded/capture.sh` has those that other programs make.
struct TarArchiveTests {
  private func parsed(_ text: String) throws -> RecordedHost {
    try RecordedHost(parsing: text, from: "test")
  }

  @Test(arguments: [
    "sys/a\ttext",
    "sys/a\ttext\\c",
    "sys/a\t\\c",
    "sys/a\tone\n\ttwo",
    "sys/a*\t#!/bin/sh",
    "sys/a\\*\tno program",
    "sys/a -> ../b\\sc",
    "sys/a\\sb/",
    "sys/machine-qemu\\\\x2d1/\nsys/ü\tä",
    "proc/1/cmdline\tqemu\\0-name\\0x\\0\\c",
  ])
  func keepsAPlaceAsItIs(line: String) throws {
    let host = try parsed(line)
    let again = try TarArchive.host(in: TarArchive.bytes(of: host), of: "x.tar")
    #expect(again.text == line + "\n")
    #expect(try parsed(again.text).text == line + "\n")
  }

  @Test func keepsNamesThatAreTooLongForAHeader() throws {
    let long = (0..<40).map { "folder-\($0)" }.joined(separator: "/")
    let host = try parsed("\(long)\ttext\nsys/link -> ../\(long)")
    let again = try TarArchive.host(in: TarArchive.bytes(of: host), of: "x.tar")
    #expect(again.text == host.text)
  }

  @Test func refusesEveryBeginningOfAnArchive() throws {
    let bytes = TarArchive.bytes(of: try parsed("sys/a\ttext\nsys/b -> a\nsys/c/"))
    for count in stride(from: 0, to: bytes.count, by: 100) {
      #expect(throws: HostError.self) {
        try TarArchive.host(in: Array(bytes.prefix(count)), of: "x.tar")
      }
    }
  }

  @Test func refusesAHeaderWithAnyByteChanged() throws {
    let bytes = TarArchive.bytes(of: try parsed("sys/a\ttext"))
    for index in 0..<TarHeader.size {
      var changed = bytes
      changed[index] ^= 1
      // Of the byte behind the checksum no reader takes note.
      let host = try? TarArchive.host(in: changed, of: "x.tar")
      #expect(host == nil || host?.text == "sys/a\ttext\n", "byte \(index)")
    }
  }

  /// A slash before a combining mark is one: to `Character` it would be none, and what is behind the
  /// link below nothing that is there.
  @Test(arguments: ["a\u{600}", "a\u{301}", "a"], ["evil", "\u{301}evil", "\u{20dd}"])
  func refusesWhatIsBelowALink(link: String, name: String) throws {
    let folder = HostPath(foreign: "/" + link)
    let items: [(path: HostPath, item: RecordedHost.Item)] = [
      (path: folder, item: .link("/outside")), (path: folder.appending(name), item: .file("x")),
    ]
    let bytes = TarArchive.bytes(of: RecordedHost(items: items))
    let error = #expect(throws: HostError.self) { try TarArchive.host(in: bytes, of: "x.tar") }
    #expect(error?.diagnosis?.hasSuffix("is below a link") == true)
  }

  @Test(arguments: ["../x", "a/../x", "..", "", "a/..\u{301}/../../../x", "/", "./"])
  func refusesNamesThatLeadOut(name: String) throws {
    let bytes =
      TarHeader(name: name, kind: .link, target: "x").bytes
      + [UInt8](repeating: 0, count: 2 * TarHeader.size)
    #expect(throws: HostError.self) { try TarArchive.host(in: bytes, of: "x.tar") }
  }

  @Test func comesThroughCompressionAndFindsDamage() throws {
    let host = try RecordedHost(at: Workstation.file("two-node-workstation.host"))
    let bytes = try CaptureFile.bytes(of: host, for: "x.tar.zst")
    #expect(try CaptureFile.host(in: bytes, of: "x.tar.zst").text == host.text)
    #expect(bytes.count < 20_000)
    for index in stride(from: 4, to: bytes.count, by: 997) {
      var changed = bytes
      changed[index] ^= 0x10
      // A bit of the frame's header means nothing yet (RFC 8878, 3.1.1.1.1.3).
      let found = try? CaptureFile.host(in: changed, of: "x.tar.zst").text
      #expect(found == nil || found == host.text, "byte \(index)")
    }
  }

  @Test func refusesWhatBecomesTooMuch() throws {
    let zeroes = [UInt8](repeating: 0, count: 300 << 20)
    let bomb = try Zstandard.compressed(zeroes, for: "bomb")
    #expect(bomb.count < 100_000)
    let error = #expect(throws: HostError.self) { try CaptureFile.host(in: bomb, of: "bomb") }
    #expect(error?.diagnosis == "it holds more than 256 MiB, which no capture does")
  }
}

/// Archives that take a reader's time.
struct GreatArchiveTests {
  private func deep(_ levels: Int) -> String {
    (0..<levels).map { _ in "d" }.joined(separator: "/")
  }

  @Test func noPlaceIsDeeperThanAKernelsAre() throws {
    #expect(throws: Never.self) { try RecordedHost(parsing: "\(deep(64))/", from: "x") }
    #expect(throws: HostError.self) { try RecordedHost(parsing: "\(deep(65))/", from: "x") }
    let path = try #require(HostPath(parsing: "/\(deep(2000))"))
    let archive = TarArchive.bytes(of: RecordedHost(items: [(path, .folder)]))
    #expect(throws: HostError.self) { try TarArchive.host(in: archive, of: "x.tar") }
  }

  @Test func aFileOfManyLinesIsReadInTheTimeOfItsBytes() throws {
    let text = "sys/a\tfirst\n" + String(repeating: "\tmore\n", count: 100_000)
    let began = ContinuousClock.now
    let host = try RecordedHost(parsing: text, from: "x")
    #expect(ContinuousClock.now - began < .seconds(5))
    #expect(host.items.count == 1)
  }
}
