internal import Bytes
import CSystemd
import Glibc
package import HostModel

/// Reads back what Berth wrote into systemd's journal.
///
/// The journal's files are indexed by field and value, so that few entries are found fast among
/// millions; no more than some hundred are ever looked at.
package struct JournalReader {
  private let directory: String?

  /// - Parameter directory: Where the journal's files are; nil for where systemd keeps them.
  package init(directory: String? = nil) { self.directory = directory }

  /// The most entries that are looked at, the same sentence again and again among them.
  private static let lookedAt = 200
  /// Of a field no more is read.
  private static let fieldLimit = 16384

  /// What Berth complained of since a boot, the newest first: warnings and errors, each sentence
  /// once.
  ///
  /// - Parameters:
  ///   - boot: The boot's number as `/proc/sys/kernel/random/boot_id` has it.
  ///   - limit: The most complaints to return.
  /// - Returns: Where something was said again and again, the last time.
  /// - Throws: What libsystemd says where there is no journal, or none that the caller may read.
  package func complaints(since boot: String, limit: Int) throws(HostError) -> [Complaint] {
    let journal = try Files.open(at: directory)
    // Several values of one field are alternatives.
    for priority in 0...JournalEntry.Priority.warning.rawValue {
      try journal.match("PRIORITY=\(priority)")
    }
    try journal.match("SYSLOG_IDENTIFIER=berth")
    // Anybody may write what says that it is Berth's; the journal itself adds who wrote it.
    try journal.match("_UID=0")
    try journal.match("_BOOT_ID=\(boot.replaced("-", by: ""))")
    var entries: [Complaint] = []
    for _ in 0..<Self.lookedAt {
      guard let entry = try journal.previous() else { break }
      entries.append(entry)
    }
    return Array(Complaint.collapsed(entries).prefix(limit))
  }

  /// One warning or error of Berth's.
  package struct Complaint: Hashable, Sendable {
    /// Since 1970, of the newest entry of this sentence.
    package var microseconds: UInt64
    package var domain: String?
    package var phase: String?
    package var isError: Bool
    package var sentence: String
    /// How often it was said.
    package var count = 1

    package init(
      microseconds: UInt64, domain: String?, phase: String?, isError: Bool, sentence: String
    ) {
      self.microseconds = microseconds
      self.domain = domain
      self.phase = phase
      self.isError = isError
      self.sentence = sentence
    }

    /// The same, the newest first, with what was said several times of one domain only where it was
    /// said last.
    static func collapsed(_ entries: [Complaint]) -> [Complaint] {
      var collapsed: [Complaint] = []
      for entry in entries {
        let same = collapsed.firstIndex {
          $0.sentence == entry.sentence && $0.domain == entry.domain
        }
        if let same { collapsed[same].count += 1 } else { collapsed.append(entry) }
      }
      return collapsed
    }
  }

  /// The journal's files, opened and closed with the value.
  private struct Files: ~Copyable {
    private let journal: OpaquePointer
    private let place: String

    private init(owning journal: OpaquePointer, place: String) {
      self.journal = journal
      self.place = place
    }

    /// Opens the journal behind its last entry.
    static func open(at directory: String?) throws(HostError) -> Files {
      let place = directory ?? "the journal"
      var opened: OpaquePointer?
      let result =
        directory.map { sd_journal_open_directory(&opened, $0, 0) }
        ?? sd_journal_open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY))
      guard result >= 0, let opened else {
        throw HostError(.read, place, errno: result < 0 ? -result : ENOMEM)
      }
      let files = Files(owning: opened, place: place)
      _ = sd_journal_set_data_threshold(opened, JournalReader.fieldLimit)
      let sought = sd_journal_seek_tail(opened)
      if sought < 0 { throw HostError(.read, place, errno: -sought) }
      return files
    }

    deinit { sd_journal_close(journal) }

    func match(_ text: String) throws(HostError) {
      let result = text.withCString { sd_journal_add_match(journal, $0, strlen($0)) }
      if result < 0 { throw HostError(.read, place, errno: -result) }
    }

    /// The entry before the last one read; nil where there is none.
    func previous() throws(HostError) -> Complaint? {
      let result = sd_journal_previous(journal)
      if result < 0 { throw HostError(.read, place, errno: -result) }
      guard result > 0 else { return nil }
      var microseconds: UInt64 = 0
      _ = sd_journal_get_realtime_usec(journal, &microseconds)
      let priority = field("PRIORITY").flatMap { Int($0) }
      return Complaint(
        microseconds: microseconds, domain: field("BERTH_DOMAIN"), phase: field("BERTH_PHASE"),
        isError: priority.map { $0 <= JournalEntry.Priority.error.rawValue } ?? false,
        sentence: field("MESSAGE") ?? "")
    }

    /// What stands behind the name and the sign of equality; nil where the entry has no such field.
    private func field(_ name: String) -> String? {
      var start: UnsafeRawPointer?
      var size = 0
      guard sd_journal_get_data(journal, name, &start, &size) >= 0, let start else { return nil }
      let bytes = UnsafeRawBufferPointer(start: start, count: size)
      return String(decoding: bytes.dropFirst(name.utf8.count + 1), as: UTF8.self)
    }
  }
}
