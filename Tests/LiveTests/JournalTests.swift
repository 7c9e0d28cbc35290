import Bytes
import Glibc
import Support
import Testing

@testable import Live

/// Entries go to a socket of the test instead of the journal's.
struct JournalTests {
  let directory = TemporaryDirectory()

  @Test func sendsOneEntryForEachChange() throws {
    let receiver = try Receiver(at: "\(directory.place)/socket")
    Journal(socket: receiver.path).change(
      domain: "web", phase: "prepare", setting: "/proc/sys/vm/stat_interval", before: "1",
      after: "120", reason: nil)
    let fields = try receiver.fields()
    #expect(fields["MESSAGE"] == "/proc/sys/vm/stat_interval: 1 → 120")
    #expect(fields["PRIORITY"] == "6")
    #expect(fields["SYSLOG_IDENTIFIER"] == "berth")
    #expect(fields["MESSAGE_ID"] == JournalEntry.changeID)
    #expect(fields["BERTH_DOMAIN"] == "web")
    #expect(fields["BERTH_PHASE"] == "prepare")
    #expect(fields["BERTH_SETTING"] == "/proc/sys/vm/stat_interval")
    #expect(fields["BERTH_BEFORE"] == "1")
    #expect(fields["BERTH_AFTER"] == "120")
    #expect(fields["BERTH_REASON"] == nil)
  }

  @Test func aNameCannotForgeAField() throws {
    let receiver = try Receiver(at: "\(directory.place)/socket")
    let name = "web\nPRIORITY=0\nMESSAGE=all is well"
    Journal(socket: receiver.path).note(.warning, "drift", domain: name, phase: "release")
    let fields = try receiver.fields()
    #expect(fields["BERTH_DOMAIN"] == name)
    #expect(fields["PRIORITY"] == "4")
    #expect(fields["MESSAGE"] == "drift")
    #expect(fields["MESSAGE_ID"] == nil)
  }

  @Test func aLongValueIsCutOff() throws {
    let receiver = try Receiver(at: "\(directory.place)/socket")
    let text = String(repeating: "x", count: 1 << 20)
    Journal(socket: receiver.path).note(.error, text, domain: nil, phase: "start")
    #expect(try receiver.fields()["MESSAGE"]?.utf8.count == 8192)
  }

  @Test func aJournalThatIsNotThereIsNoFailure() {
    Journal(socket: "\(directory.place)/missing").note(.info, "text", domain: nil, phase: "start")
    Journal(socket: String(repeating: "x", count: 200)).note(.info, "text", domain: nil, phase: "")
    Journal.silent.note(.info, "text", domain: nil, phase: "start")
  }

  @Test func aJournalThatDoesNotReadKeepsNobodyWaiting() throws {
    let receiver = try Receiver(at: "\(directory.place)/socket")
    let text = String(repeating: "x", count: 8192)
    for _ in 0..<2000 {
      Journal(socket: receiver.path).note(.info, text, domain: nil, phase: "start")
    }
  }
}

/// A socket that datagrams can be sent to.
private struct Receiver: ~Copyable {
  let path: String
  private let number: Int32

  init(at path: String) throws {
    self.path = path
    number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un(path)
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(number, address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
  }

  deinit { close(number) }

  /// The fields of the next entry, read as systemd's docs/JOURNAL_NATIVE_PROTOCOL.md says.
  func fields() throws -> [String: String] {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = recv(number, &bytes, bytes.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
    try #require(count > 0)
    var rest = bytes[..<count]
    var fields: [String: String] = [:]
    while !rest.isEmpty {
      let end = try #require(rest.firstIndex(of: UInt8(ascii: "\n")))
      let name = String(decoding: rest[..<end], as: UTF8.self)
      rest = rest[(end + 1)...]
      let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(8)
      fields[name] = String(decoding: rest.prefix(length), as: UTF8.self)
      rest = rest.dropFirst(length)
      try #require(rest.first == UInt8(ascii: "\n"))
      rest = rest.dropFirst()
    }
    return fields
  }
}
