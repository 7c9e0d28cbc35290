internal import HostModel
internal import Ledger

extension FuzzTarget {
  /// The text of the ledger, as it is and with an end that fits: no one gets past a checksum by
  /// chance.
  static let ledgerText = FuzzTarget(name: "ledger") { bytes throws(BrokenPromise) in
    let text = String(decoding: bytes, as: UTF8.self)
    try checkReading(text)
    try checkReading(sealed(text))
  }

  private static func checkReading(_ text: String) throws(BrokenPromise) {
    guard let (ledger, boot) = try? LedgerText.decode(text) else { return }
    let written = LedgerText.encode(ledger, boot: boot)
    try promise(areSame(written, text), "nothing is read but what is written so: \(written)")
    let again = try? LedgerText.decode(written)
    try promise(again?.ledger == ledger && again?.boot == boot, "what is written is read again")
  }

  /// The text with the line at its end that docs/LEDGER.md specifies.
  private static func sealed(_ text: String) -> String {
    var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    if lines.last?.isEmpty == true { lines.removeLast() }
    if lines.last?.hasPrefix("end ") == true { lines.removeLast() }
    let body = lines.map { $0 + "\n" }.joined()
    return body + "end \(lines.count) \(checksum(of: body))\n"
  }

  private static func checksum(of text: String) -> String {
    let remainder = text.utf8.reduce(UInt32.max) { remainder, byte in
      (0..<8).reduce(remainder ^ UInt32(byte)) { rest, _ in
        rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0xedb8_8320
      }
    }
    return String(~remainder, radix: 16)
  }
}
