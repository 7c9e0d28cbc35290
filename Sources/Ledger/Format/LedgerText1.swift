internal import HostModel

/// Version 1 of the ledger's text: each claim stands below its entry, and nothing has a number.
///
/// Read for a host whose VMs were started by an older Berth; the next change is written anew.
enum LedgerText1 {
  static func records(
    _ lines: inout LineReader
  ) throws(LedgerTextError) -> (ledger: Ledger, boot: String) {
    try lines.checkEnd()
    let boot = try lines.record("boot") { words throws(FormatError) in try words.text() }
    var ledger = Ledger()
    while lines.isNext("holder") {
      ledger.holders.append(try lines.holder())
    }
    while !lines.isAtEnd {
      let fields = try lines.record("entry") { words throws(FormatError) in try words.fields() }
      var claims: [HeldClaim] = []
      while lines.isNext("claim") {
        claims.append(
          try lines.record("claim") { words throws(FormatError) in
            HeldClaim(
              holder: try words.holderID(), claim: try words.claim(), reason: try words.text())
          })
      }
      ledger.entries.append(Entry(fields, Claims(claims)))
    }
    try lines.checkCount()
    return (ledger, boot)
  }
}
