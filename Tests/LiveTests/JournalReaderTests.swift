import Bytes
import Glibc
import HostModel
import Support
import Testing

@testable import Live

/// What Berth reads back of what it wrote.
struct JournalReaderTests {
  let directory = TemporaryDirectory()

  private func complaint(
    _ sentence: String, _ microseconds: UInt64, domain: String? = nil
  ) -> JournalReader.Complaint {
    JournalReader.Complaint(
      microseconds: microseconds, domain: domain, phase: nil, isError: true, sentence: sentence)
  }

  @Test func whatIsSaidAgainAndAgainIsToldOnceWithItsNumber() {
    let collapsed = JournalReader.Complaint.collapsed([
      complaint("short", 9, domain: "a"), complaint("gone", 8), complaint("short", 7, domain: "a"),
      complaint("short", 6, domain: "b"), complaint("short", 5, domain: "a"),
    ])
    #expect(collapsed.map(\.count) == [3, 1, 1])
    #expect(collapsed.map(\.microseconds) == [9, 8, 6])
  }

  @Test func anEmptyJournalHasNoComplaints() throws {
    let reader = JournalReader(directory: directory.path)
    let boot = "0123abcd-0123-0123-0123-0123456789ab"
    #expect(try reader.complaints(since: boot, limit: 5).isEmpty)
  }

  @Test func aJournalThatIsNotThereIsNamed() {
    let error = #expect(throws: HostError.self) {
      try JournalReader(directory: "\(directory.place)/missing").complaints(since: "0", limit: 5)
    }
    #expect(error?.errno == ENOENT || error?.errno == EINVAL)
  }

  @Test func aJournalOfRubbishHasNoComplaints() throws {
    directory.file("system.journal")
    let reader = JournalReader(directory: directory.path)
    let boot = "0123abcd-0123-0123-0123-0123456789ab"
    #expect(try reader.complaints(since: boot, limit: 5).isEmpty)
  }
}
