import CLinux
import Glibc
internal import HostModel
internal import SystemCalls

/// systemd's journal, in which every change of the host is one entry.
///
/// Entries are datagrams in the journal's own format (systemd's docs/JOURNAL_NATIVE_PROTOCOL.md),
/// sent without waiting: `sd_journal_sendv()` blocks when the journal does not keep up, and a
/// domain's start must not wait for its log. An entry that cannot be sent is lost, which nobody is
/// told, as there is nothing that a caller could do about it.
package final class Journal {
  private let path: String?
  /// What entries are sent from; opened for the first of them, as most calls have none to send.
  private var socket: Descriptor?

  package init(socket path: String = "/run/systemd/journal/socket") {
    self.path = path
  }

  /// A journal that keeps nothing, for dry runs and recorded hosts.
  package static var silent: Journal { Journal(silently: ()) }

  private init(silently: Void) { path = nil }

  /// Writes down one change of a setting.
  package func change(
    domain: String?, phase: String, setting: String, before: String, after: String, reason: String?
  ) {
    record(
      JournalEntry(
        "\(setting): \(before) → \(after)" + (reason.map { ": \($0)" } ?? ""), domain: domain,
        phase: phase,
        change: JournalEntry.Change(
          setting: setting, before: before, after: after, reason: reason)))
  }

  /// Writes down a sentence.
  package func note(
    _ priority: JournalEntry.Priority, _ sentence: String, domain: String?, phase: String
  ) {
    record(JournalEntry(sentence, priority: priority, domain: domain, phase: phase))
  }

  private func record(_ entry: JournalEntry) {
    guard let path, let socket = try? opened() else { return }
    let bytes = entry.datagram
    _ = clinux_send_datagram(socket, path, bytes, bytes.count)
  }

  /// The number of the socket.
  private func opened() throws(CallError) -> Int32 {
    if let number = socket?.number { return number }
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let opened = try Descriptor(Glibc.socket(AF_UNIX, kind, 0))
    let number = opened.number
    socket = consume opened
    return number
  }
}

/// One entry of the journal about a domain.
package struct JournalEntry: Hashable, Sendable {
  /// Importance, by the numbers of syslog(3).
  package enum Priority: Int, Sendable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
  }

  /// The `MESSAGE_ID=` of every change of a setting, for `journalctl MESSAGE_ID=…`.
  package static let changeID = "ed111d138cb544a4a50c5526df18cf34"

  package var message: String
  package var priority: Priority
  package var domain: String?
  package var phase: String?
  package var change: Change?

  /// A setting's name with what stood there before and after, and why.
  package struct Change: Hashable, Sendable {
    package var setting: String
    package var before: String
    package var after: String
    /// Why the change was made.
    package var reason: String?

    package init(setting: String, before: String, after: String, reason: String? = nil) {
      self.setting = setting
      self.before = before
      self.after = after
      self.reason = reason
    }
  }

  package init(
    _ message: String, priority: Priority = .info, domain: String? = nil, phase: String? = nil,
    change: Change? = nil
  ) {
    self.message = message
    self.priority = priority
    self.domain = domain
    self.phase = phase
    self.change = change
  }

  /// The fields in the order in which they are sent, those without a value left out.
  package var fields: [(name: String, value: String)] {
    let all: [(name: String, value: String?)] = [
      ("MESSAGE", message),
      ("PRIORITY", "\(priority.rawValue)"),
      ("SYSLOG_IDENTIFIER", "berth"),
      ("MESSAGE_ID", change == nil ? nil : Self.changeID),
      ("BERTH_DOMAIN", domain),
      ("BERTH_PHASE", phase),
      ("BERTH_SETTING", change?.setting),
      ("BERTH_BEFORE", change?.before),
      ("BERTH_AFTER", change?.after),
      ("BERTH_REASON", change?.reason),
    ]
    return all.compactMap { name, value in value.map { (name, $0) } }
  }

  /// Of a value no more is sent, so that an entry always fits into one datagram.
  private static let valueLimit = 8192

  /// The entry as the journal reads it: a name, a newline, the length of the value in eight bytes
  /// with the lowest first, the value, a newline.
  ///
  /// The short form `NAME=value` could not hold the newlines that a domain's name may have.
  package var datagram: [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in fields {
      let value = value.utf8.prefix(Self.valueLimit)
      let length = UInt64(value.count)
      bytes += name.utf8
      bytes.append(UInt8(ascii: "\n"))
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
      bytes += value
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }
}
