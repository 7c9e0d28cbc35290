internal import HostModel
internal import Ledger

extension FuzzTarget {
  /// The text of the ledger, as it is and with an end that fits: no one gets past a checksum by
  /// chance.
  static let ledgerText = FuzzTarget(name: "ledger") { bytes throws(BrokenPromise) in
    try checkReading(Array(bytes))
    try checkReading(sealed(bytes))
  }

  private static func checkReading(_ text: [UInt8]) throws(BrokenPromise) {
    guard let (ledger, boot) = try? LedgerText.decode(text) else { return }
    let written = LedgerText.encode(ledger, boot: boot)
    // Of an older version, no more is promised than that nothing is lost.
    if text.starts(with: "berth-ledger \(LedgerText.version)\n".utf8) {
      try promise(
        written == text,
        "nothing is read but what is written so: \(String(decoding: written, as: UTF8.self))")
      let head = try? LedgerText.head(in: text)
      try promise(
        head?.head == LedgerHead(of: ledger) && head?.boot == boot, "the head tells the same")
    }
    let again = try? LedgerText.decode(written)
    try promise(again?.ledger == ledger && again?.boot == boot, "what is written is read again")
    // Whatever numbers it holds, they can be worked with.
    for entry in ledger.entries { _ = try? entry.resolved() }
    _ = ledger.withoutLeavers(HostFacts(), besides: nil) { _ in false }
    var unread = ledger
    // As engines make them: without a memory of the text.
    unread.entries = ledger.entries.map { entry in
      Entry(
        setting: entry.setting, original: entry.original, written: entry.written,
        intent: entry.intent, claims: Claims(Array(entry.claims)), verdict: entry.verdict,
        foreign: entry.foreign, leftBehind: entry.leftBehind, subject: entry.subject)
    }
    let spelled = try? LedgerText.decode(LedgerText.encode(unread, boot: boot))
    try promise(spelled?.ledger == ledger, "what is spelled anew is the same")
  }

  /// The text with the lines that docs/LEDGER.md specifies at the end of its head and of all.
  private static func sealed(_ text: some Sequence<UInt8>) -> [UInt8] {
    var body: [UInt8] = []
    var lines = 0
    func seal(_ keyword: String) { body += "\(keyword) \(lines) \(checksum(of: body))\n".utf8 }
    for line in Array(text).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if line.starts(with: "end ".utf8) || line.isEmpty { continue }
      if line.starts(with: "head ".utf8) {
        seal("head")
      } else {
        body += line + [UInt8(ascii: "\n")]
      }
      lines += 1
    }
    seal("end")
    return body
  }

  private static func checksum(of text: [UInt8]) -> String {
    let remainder = text.reduce(UInt32.max) { remainder, byte in
      (0..<8).reduce(remainder ^ UInt32(byte)) { rest, _ in
        rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0xedb8_8320
      }
    }
    return String(~remainder, radix: 16)
  }
}
