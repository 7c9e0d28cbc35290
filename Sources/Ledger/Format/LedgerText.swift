internal import Bytes
internal import HostModel

/// The ledger as the text of a file: one record a line, sealed by a checksum.
///
/// The format is specified in docs/LEDGER.md. Reading accepts what writing gives and nothing else,
/// so that a damaged file is never taken for an empty one.
package enum LedgerText {
  /// The version that this program writes, and the greatest that it reads.
  package static let version = 1

  package static func encode(_ ledger: Ledger, boot: String) -> String {
    var lines = ["berth-ledger \(version)"]
    var bootLine = WordWriter("boot")
    bootLine.text(boot)
    lines.append(bootLine.line)
    for holder in ledger.holders { lines.append(line(of: holder)) }
    for entry in ledger.entries {
      lines.append(line(of: entry))
      for claim in entry.claims { lines.append(line(of: claim)) }
    }
    let body = lines.map { $0 + "\n" }.joined()
    return body + "end \(lines.count) \(Checksum.of(body))\n"
  }

  /// A ledger's text in which words were changed, with the end that fits it; any other text as it is.
  package static func resealed(_ text: String) -> String {
    var lines = text.fields(at: "\n")
    guard lines.popLast()?.begins(with: "end ") == true else { return text }
    let body = lines.map { $0 + "\n" }.joined()
    return body + "end \(lines.count) \(Checksum.of(body))\n"
  }

  /// The ledger in a text, with the boot in which it was written.
  package static func decode(
    _ text: String
  ) throws(LedgerTextError) -> (ledger: Ledger, boot: String) {
    var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map(Substring.init)
    let heading = lines.first.map(String.init) ?? ""
    guard heading.begins(with: "berth-ledger ") else {
      throw .damaged(line: 1, why: "it does not begin with “berth-ledger”")
    }
    let found = String(heading.dropFirst("berth-ledger ".count))
    guard let number = Int(found), number >= 1, "\(number)" == found else {
      throw .damaged(line: 1, why: "“\(found.prefix(20))” is no version")
    }
    guard number <= version else { throw .newer(version: found) }
    guard lines.popLast()?.isEmpty == true, let seal = lines.popLast() else {
      throw .damaged(line: lines.count + 1, why: "its end is missing")
    }
    let body = Substring(text.utf8.dropLast(seal.utf8.count + 1))
    guard seal == "end \(lines.count) \(Checksum.of(body))" else {
      throw .damaged(line: lines.count + 1, why: "its checksum does not fit")
    }
    return try records(lines.dropFirst())
  }

  private static func records(
    _ lines: ArraySlice<Substring>
  ) throws(LedgerTextError) -> (ledger: Ledger, boot: String) {
    var ledger = Ledger()
    var boot: String?
    for index in lines.indices {
      var words = WordReader(lines[index])
      do throws(FormatError) {
        switch try words.raw() {
        case "boot" where index == lines.startIndex: boot = try words.text()
        case "holder" where ledger.entries.isEmpty: ledger.holders.append(try holder(&words))
        case "entry": ledger.entries.append(try entry(&words))
        case "claim":
          guard !ledger.entries.isEmpty else { throw FormatError("a claim without an entry") }
          ledger.entries[ledger.entries.count - 1].claims.append(try claim(&words))
        case let other: throw FormatError("“\(other)” is no record that stands there")
        }
        guard words.isAtEnd else { throw FormatError("there are words too many") }
      } catch {
        throw .damaged(line: index + 1, why: error.why)
      }
    }
    guard let boot else { throw .damaged(line: 2, why: "it names no boot") }
    return (ledger, boot)
  }
}

/// Why a text is not a ledger.
package enum LedgerTextError: Error, Hashable, Sendable {
  case damaged(line: Int, why: String)
  case newer(version: String)
}

extension LedgerText {
  private static func line(of holder: Holder) -> String {
    var words = WordWriter("holder")
    words.text("\(holder.id)")
    words.text(holder.name)
    for process in [holder.hook, holder.process] {
      if let process {
        words.number(process.pid)
        words.number(process.startTime)
      } else {
        words.none()
      }
    }
    words.text("\(holder.vcpuCPUs)")
    words.number(holder.since)
    return words.line
  }

  private static func holder(_ words: inout WordReader) throws(FormatError) -> Holder {
    Holder(
      id: try holderID(&words), name: try words.text(), hook: try process(&words),
      process: try process(&words), vcpuCPUs: try words.cpus(), since: try words.number())
  }

  private static func holderID(_ words: inout WordReader) throws(FormatError) -> HolderID {
    let text = try words.text()
    guard let id = HolderID(text) else { throw FormatError("“\(text)” is no holder") }
    return id
  }

  private static func process(
    _ words: inout WordReader
  ) throws(FormatError) -> ProcessIdentity? {
    if words.isNone() { return nil }
    return ProcessIdentity(pid: try words.number(), startTime: try words.number())
  }

  private static func line(of entry: Entry) -> String {
    var words = WordWriter("entry")
    words.setting(entry.setting)
    words.value(entry.original)
    words.value(entry.written)
    words.value(entry.intent?.from)
    words.value(entry.intent?.to)
    words.value(entry.foreign)
    words.optional(entry.verdict)
    return words.line
  }

  private static func entry(_ words: inout WordReader) throws(FormatError) -> Entry {
    var entry = Entry(setting: try words.setting(), original: try words.value())
    entry.written = try words.optionalValue()
    switch (try words.optionalValue(), try words.optionalValue()) {
    case (let from?, let to?): entry.intent = Intent(from: from, to: to)
    case (nil, nil): break
    default: throw FormatError("an intent has only one of its values")
    }
    entry.foreign = try words.optionalValue()
    entry.verdict = try words.optional()
    return entry
  }

  private static func line(of claim: HeldClaim) -> String {
    var words = WordWriter("claim")
    words.text("\(claim.holder)")
    words.claim(claim.claim)
    words.text(claim.reason)
    return words.line
  }

  private static func claim(_ words: inout WordReader) throws(FormatError) -> HeldClaim {
    HeldClaim(holder: try holderID(&words), claim: try words.claim(), reason: try words.text())
  }
}

/// CRC-32 as IEEE 802.3 defines it, in hexadecimal: it finds every single flipped bit and every
/// torn end.
enum Checksum {
  static func of(_ text: some StringProtocol) -> String {
    var remainder: UInt32 = 0xffff_ffff
    for byte in text.utf8 {
      remainder = remainder >> 8 ^ remainders[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)]
    }
    return String(~remainder, radix: 16)
  }

  /// What each byte adds, so that no bit of the text is looked at by itself.
  private static let remainders: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in
      remainder >> 1 ^ (remainder & 1 == 0 ? 0 : 0xedb8_8320)
    }
  }
}
