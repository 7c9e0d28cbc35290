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
