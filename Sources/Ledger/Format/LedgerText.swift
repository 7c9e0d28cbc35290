internal import Bytes
internal import HostModel

/// The ledger as the text of a file: one record a line, sealed by checksums.
///
/// The format is specified in docs/LEDGER.md. Reading accepts what writing gives and nothing else,
/// so that a damaged file is never taken for an empty one; of an older version it accepts what the
/// Berth of that version wrote.
package enum LedgerText {
  /// The version that this program writes, and the greatest that it reads.
  package static let version = 4

  package static func encode(_ ledger: Ledger, boot: String) -> [UInt8] {
    var words = WordWriter()
    var checksum = Checksum()
    words.head(LedgerHead(of: ledger), boot: boot)
    checksum.add(words.bytes[...])
    let sealed = words.bytes.count
    words.seal("head", checksum)
    words.body(ledger)
    checksum.add(words.bytes[sealed...])
    words.seal("end", checksum)
    return words.bytes
  }

  /// The ledger in a text, with the boot in which it was written.
  package static func decode(
    _ text: [UInt8]
  ) throws(LedgerTextError) -> (ledger: Ledger, boot: String) {
    var lines = LineReader(text)
    switch try lines.version() {
    case 1: return try LedgerText1.records(&lines)
    default: return try records(&lines)
    }
  }

  /// What the beginning of a text tells, with the boot in which it was written; nil where it has no
  /// whole head, as those of version 1.
  ///
  /// The head has a checksum of its own: what follows is not looked at.
  package static func head(
    in beginning: [UInt8]
  ) throws(LedgerTextError) -> (head: LedgerHead, boot: String)? {
    var lines = LineReader(beginning)
    guard try lines.version() > 1 else { return nil }
    guard lines.reaches("head") else { return nil }
    return try lines.head()
  }

  private static func records(
    _ lines: inout LineReader
  ) throws(LedgerTextError) -> (ledger: Ledger, boot: String) {
    try lines.checkEnd()
    let (head, boot) = try lines.head()
    let table = try lines.claims(of: head.holders)
    var ledger = Ledger()
    ledger.holders = head.holders
    ledger.entries = try lines.entries(head.entryCount, claiming: table)
    try lines.checkCount()
    guard head.unfinishedCount == ledger.unfinishedCount else {
      throw .damaged(line: lines.number, why: "its head has counted other entries")
    }
    return (ledger, boot)
  }
}

/// Why a text is not a ledger.
package enum LedgerTextError: Error, Hashable, Sendable {
  case damaged(line: Int, why: String)
  case newer(version: String)
}

extension LedgerText {
  /// A ledger's text in which words were changed, with the checksums that fit it; any other text as
  /// it is.
  package static func resealed(_ text: String) -> String {
    var words = WordWriter()
    var checksum = Checksum()
    var sealed = 0
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let keyword = line.prefix { $0 != UInt8(ascii: " ") }
      guard let seal = ["head", "end"].first(where: { keyword.elementsEqual($0.utf8) }) else {
        words.begin(String(decoding: line, as: UTF8.self))
        words.end()
        continue
      }
      checksum.add(words.bytes[sealed...])
      sealed = words.bytes.count
      words.seal(seal, checksum)
    }
    return sealed == 0 ? text : String(decoding: words.bytes, as: UTF8.self)
  }
}

extension LedgerText {
  /// A ledger's text without what own services are called with, whose programs stay; it is to be sealed
  /// anew.
  package static func withoutArguments(_ text: String) -> String {
    text.fields(at: "\n", keepingEmpty: true).map { line in
      let words = line.fields(at: " ", keepingEmpty: true)
      guard words.count > 7, words[0] == "entry", words[1] == "own-service" else { return line }
      return blanked(words)[...]
    }.joined(separator: "\n")
  }

  /// The words of an entry: after unit, title, manner, time and bond come the command, those that undo it,
  /// and the environment, each with its count before it.
  private static func blanked(_ words: [Substring]) -> String {
    var words = words
    // A command is titled by all of its words.
    words[3] = words[3].fields(at: "%", keepingEmpty: true).first ?? ""
    if words[3].isEmpty { words[3] = "%" }
    var place = 7
    func count() -> Int {
      defer { place += 1 }
      return place < words.count ? Int(words[place]).map { min(max($0, 0), words.count) } ?? 0 : 0
    }
    func blank(after first: Int) {
      let texts = count()
      for index in 0..<texts where place + index < words.count && index >= first {
        words[place + index] = "%E2%80%A6"
      }
      place += texts
    }
    blank(after: 1)
    for _ in 0..<count() { blank(after: 1) }
    return words.joined(separator: " ")
  }
}

extension WordWriter {
  /// The line that ends a part: how many lines are above it, and their sum.
  mutating func seal(_ keyword: String, _ checksum: Checksum) {
    begin(keyword)
    number(lines)
    raw(checksum.text)
    end()
  }

  fileprivate mutating func head(_ head: LedgerHead, boot: String) {
    begin("berth-ledger")
    number(LedgerText.version)
    end()
    begin("boot")
    text(boot)
    end()
    for holder in head.holders {
      begin("holder")
      self.holder(holder)
      end()
    }
    begin("entries")
    number(head.entryCount)
    number(head.unfinishedCount)
    end()
  }

  /// The claims, each of them once, and then the entries that name them by their numbers.
  fileprivate mutating func body(_ ledger: Ledger) {
    var table = ClaimTable(holders: ledger.holders)
    let lists = ledger.entries.indices.map { table.list(of: ledger.entries[$0].claims) }
    for claim in table.claims {
      begin("claim")
      if let holder = table.number(of: claim.holder) {
        number(holder)
      } else {
        text("\(claim.holder)")
      }
      if let words = claim.words { copy(words) } else { self.claim(claim.held) }
      end()
    }
    for index in ledger.entries.indices {
      begin("entry")
      if let record = ledger.entries[index].record {
        copy(record)
      } else {
        entry(ledger.entries[index])
      }
      copy(table.words(of: lists[index]))
      end()
    }
  }

  private mutating func holder(_ holder: Holder) {
    text("\(holder.id)")
    text(holder.name)
    process(holder.hook)
    process(holder.worker)
    process(holder.process)
    cpus(holder.vcpuCPUs)
    number(holder.since)
    if holder.hasArrived { raw("arrived") } else { none() }
    if let ended = holder.ended { number(ended) } else { none() }
    number(holder.attained.count)
    for attainment in holder.attained {
      text(attainment.goal)
      optional(attainment.rung)
      number(attainment.misses.count)
      for miss in attainment.misses {
        text(miss.name)
        text(miss.reason)
      }
    }
  }

  private mutating func process(_ process: ProcessIdentity?) {
    guard let process else { return none() }
    number(process.pid)
    number(process.startTime)
  }

  /// All of an entry but its claims.
  private mutating func entry(_ entry: Entry) {
    setting(entry.setting)
    value(entry.original)
    value(entry.written)
    value(entry.intent?.from)
    value(entry.intent?.to)
    value(entry.foreign)
    optional(entry.verdict)
    process(entry.leftBehind)
    optional(entry.subject)
  }

  /// All of a claim but its holder.
  private mutating func claim(_ held: HeldClaim) {
    claim(held.claim)
    raw(held.beginsWithSubject ? "subject" : "-")
    text(held.reason)
  }
}
