internal import Bytes
internal import HostModel

/// Reads a ledger's text line by line.
struct LineReader {
  private let bytes: [UInt8]
  /// Where the next line begins.
  private var position = 0
  private var checksum = Checksum()
  /// Up to where the checksum goes.
  private var summed = 0
  /// The number of the next line, from one on.
  private(set) var number = 1
  /// Where the records end: at the line that seals them, once that has been checked.
  private var end: Int
  /// How many lines are above the end, as that says.
  private var sealed: Int?
  /// The version of the text, once its first line was taken.
  private var format = LedgerText.version

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    end = bytes.count
  }

  var isAtEnd: Bool { position >= end }

  /// Whether one of the next lines begins with a word, and is there up to its end.
  func reaches(_ keyword: String) -> Bool {
    var reader = self
    while !reader.isAtEnd {
      if reader.isNext(keyword) { return bytes[reader.position...].contains(UInt8(ascii: "\n")) }
      _ = reader.line()
    }
    return false
  }

  /// Takes the first line.
  mutating func version() throws(LedgerTextError) -> Int {
    let heading = "berth-ledger "
    guard bytes.starts(with: heading.utf8) else {
      throw .damaged(line: 1, why: "it does not begin with “berth-ledger”")
    }
    let line = line()
    let words = WordReader(bytes, line)
    let word = line.dropFirst(heading.utf8.count)
    guard let version: Int = words.number(in: word), version >= 1 else {
      throw .damaged(line: 1, why: "“\(words.string(word.prefix(20)))” is no version")
    }
    guard version <= LedgerText.version else { throw .newer(version: words.string(word)) }
    format = version
    return version
  }

  /// Takes the line at the end, which tells whether all that was written is there; how many lines
  /// are above it is for `checkCount` to find out.
  mutating func checkEnd() throws(LedgerTextError) {
    let newline = UInt8(ascii: "\n")
    guard bytes.last == newline, let start = bytes.dropLast().lastIndex(of: newline) else {
      throw .damaged(line: bytes.count { $0 == newline } + 1, why: "its end is missing")
    }
    end = start + 1
    var sum = Checksum()
    sum.add(bytes[..<end])
    var words = WordReader(bytes, end..<bytes.count - 1)
    sealed =
      (try? words.choice()).map { "end" ~= $0 } == true ? try? words.number() : nil
    guard let sealed, bytes[end...].elementsEqual(Self.seal("end", above: sealed, sum)) else {
      throw .damaged(
        line: bytes[..<end].count { $0 == newline } + 1, why: "its checksum does not fit")
    }
  }

  /// Compares the lines that have been read with those that there are.
  func checkCount() throws(LedgerTextError) {
    guard isAtEnd, number - 1 == sealed else {
      throw .damaged(line: number, why: "there are not as many lines as its end says")
    }
  }

  /// The next line, without its newline; the rest where it has none.
  private mutating func line() -> Range<Int> {
    let start = position
    let newline = bytes.span.firstIndex(of: UInt8(ascii: "\n"), from: start) ?? end
    position = min(newline, end) + 1
    number += 1
    return start..<position - 1
  }

  /// Whether the next line begins with a word.
  func isNext(_ keyword: String) -> Bool {
    let line = bytes.span.extracting(min(position, end)..<end)
    let length = keyword.utf8.count
    return length < line.count && line[length] == UInt8(ascii: " ")
      && line.begins(with: keyword.utf8.span)
  }

  /// Takes the next line, which has to begin with a word, and all words behind that.
  mutating func record<Record>(
    _ keyword: String, _ read: (inout WordReader) throws(FormatError) -> Record
  ) throws(LedgerTextError) -> Record {
    guard isNext(keyword) else {
      throw .damaged(line: number, why: "no record “\(keyword)” stands there")
    }
    let line = line()
    var words = WordReader(bytes, line.dropFirst(keyword.utf8.count + 1))
    do throws(FormatError) {
      let record = try read(&words)
      guard words.isAtEnd else { throw FormatError("there are words too many") }
      return record
    } catch {
      throw .damaged(line: number - 1, why: error.why)
    }
  }

  /// Takes a line that seals all above it.
  mutating func seal(_ keyword: String) throws(LedgerTextError) {
    checksum.add(bytes[summed..<position])
    summed = position
    let above = number - 1
    let line = line()
    guard position <= bytes.count,
      bytes[line.lowerBound..<position].elementsEqual(Self.seal(keyword, above: above, checksum))
    else {
      throw .damaged(line: above + 1, why: "its checksum does not fit")
    }
  }

  private static func seal(_ keyword: String, above lines: Int, _ sum: Checksum) -> [UInt8] {
    Array("\(keyword) \(lines) \(sum.text)\n".utf8)
  }
}

extension LineReader {
  /// Takes what stands above `head`, and that line.
  mutating func head() throws(LedgerTextError) -> (head: LedgerHead, boot: String) {
    let boot = try record("boot") { words throws(FormatError) in try words.text() }
    var holders: [Holder] = []
    while isNext("holder") {
      holders.append(try holder())
    }
    let counts = try record("entries") { words throws(FormatError) -> (Int, Int) in
      (try words.count(of: "entries"), try words.count(of: "entries"))
    }
    try seal("head")
    let head = LedgerHead(holders: holders, entryCount: counts.0, unfinishedCount: counts.1)
    return (head, boot)
  }

  mutating func holder() throws(LedgerTextError) -> Holder {
    let format = format
    return try record("holder") { words throws(FormatError) in try words.holder(in: format) }
  }

  mutating func claims(of holders: [Holder]) throws(LedgerTextError) -> ClaimTexts {
    var known: Set<HolderID> = []
    let ids = holders.map { known.insert($0.id).inserted ? $0.id : nil }
    var claims: [HeldClaim] = []
    var texts: [ArraySlice<UInt8>] = []
    while isNext("claim") {
      let (claim, text) = try record("claim") { words throws(FormatError) in
        let holder = try words.holderID(among: ids)
        let start = words.offset
        let claim = try words.claim(of: holder)
        return (claim, start - 1..<words.offset - 1)
      }
      claims.append(claim)
      texts.append(bytes[text])
    }
    return ClaimTexts(claims, texts)
  }

  mutating func entries(
    _ count: Int, claiming table: ClaimTexts
  ) throws(LedgerTextError) -> [Entry] {
    var lists = ClaimLists(table)
    var known = KnownFields()
    var entries: [Entry] = []
    // No more than there is text for, whatever the head says.
    entries.reserveCapacity(min(count, bytes.count / 16))
    let format = format
    while !isAtEnd {
      let entry = try record("entry") { words throws(FormatError) in
        let start = words.offset
        var fields = try words.fields(like: &known, in: format)
        fields.subject = try words.optional()
        // What an older version wrote is spelled anew.
        let record =
          format == LedgerText.version ? words.bytes(start - 1..<words.offset - 1) : nil
        return Entry(fields, try lists.claims(&words), record: record)
      }
      entries.append(entry)
    }
    guard entries.count == count else {
      throw .damaged(line: number, why: "there are not as many entries as its head says")
    }
    guard lists.areAllUsed else {
      throw .damaged(line: number, why: "a claim belongs to no entry")
    }
    return entries
  }
}

/// What neighbours in the ledger say of different settings in the same words, and is read once.
private struct KnownFields {
  private var last: [(words: ArraySlice<UInt8>, fields: Entry.Fields)] = []
  private var oldest = 0
  /// The threads of a VM have about as many originals and CPUs.
  private static let limit = 4

  func fields(of words: ArraySlice<UInt8>) -> Entry.Fields? {
    for each in last where each.words == words { return each.fields }
    return nil
  }

  mutating func add(_ fields: Entry.Fields, of words: ArraySlice<UInt8>) {
    if last.count < Self.limit { return last.append((words, fields)) }
    last[oldest] = (words, fields)
    oldest = (oldest + 1) % Self.limit
  }
}

/// Reads which claims entries name; those that name the same ones get one list.
private struct ClaimLists {
  private let table: ClaimTexts
  private var known: [ArraySlice<UInt8>: Claims] = [:]
  /// The lists of one claim, by its number.
  private var singles: [Claims?]
  private var last: (word: ArraySlice<UInt8>, claims: Claims)?
  /// How many claims have been named: the next new one has to have this number.
  private var named = 0
  /// More claims than there are machines on any host.
  private static let limit = 4096

  init(_ table: ClaimTexts) {
    self.table = table
    singles = [Claims?](repeating: nil, count: table.claims.count)
  }

  var areAllUsed: Bool { named == table.claims.count }

  mutating func claims(_ words: inout WordReader) throws(FormatError) -> Claims {
    if words.isNone() { return [] }
    let word = try words.word()
    // Most are one claim on one setting, and no other setting has it.
    if let number: Int = words.number(in: word) {
      return try single(number, word, words)
    }
    let text = words.bytes(word)
    if let last, last.word == text { return last.claims }
    let claims: Claims
    if let found = known[text] {
      claims = found
    } else {
      claims = Claims(ClaimOrigin(text: table, numbers: try numbers(word, words)))
      known[text] = claims
    }
    last = (text, claims)
    return claims
  }

  private mutating func single(
    _ number: Int, _ word: Range<Int>, _ words: WordReader
  ) throws(FormatError) -> Claims {
    guard (0...named).contains(number), number < table.claims.count else {
      throw FormatError("“\(words.string(word))” names no claims")
    }
    if let single = singles[number] { return single }
    named = max(named, number + 1)
    let claims = Claims(ClaimOrigin(text: table, numbers: [number]))
    singles[number] = claims
    return claims
  }

  private mutating func numbers(
    _ word: Range<Int>, _ words: WordReader
  ) throws(FormatError) -> [Int] {
    var numbers: [Int] = []
    var rest = word
    while let run = words.run(at: &rest) {
      guard numbers.last.map({ $0 + 1 }) != run.lowerBound, run.count <= Self.limit,
        numbers.count + run.count <= Self.limit, run.upperBound < table.claims.count,
        run.lowerBound <= named
      else { break }
      named = max(named, run.upperBound + 1)
      numbers += run
      guard let comma = rest.first else { return numbers }
      guard words[comma] == UInt8(ascii: ",") else { break }
      rest = rest.dropFirst()
    }
    throw FormatError("“\(words.string(word))” names no claims")
  }
}

extension WordReader {
  /// A holder as the Berth of a version wrote it.
  ///
  /// Those before 3 had no word for a domain that has arrived; they forgot its hook then. Those before
  /// 4 did not say where its ways to goals have ended.
  fileprivate mutating func holder(in format: Int) throws(FormatError) -> Holder {
    var holder = Holder(id: try holderID(), name: try text(), hook: try optionalProcess())
    if format > 2 { holder.worker = try optionalProcess() }
    holder.process = try optionalProcess()
    holder.vcpuCPUs = try cpus()
    holder.since = try number()
    holder.hasArrived = try format > 2 ? flag("arrived") : holder.hook == nil
    if format > 2, !isNone() { holder.ended = try number() }
    if format > 3 {
      for _ in 0..<(try count(of: "goals")) { holder.attained.append(try attainment()) }
    }
    return holder
  }

  private mutating func attainment() throws(FormatError) -> Attainment {
    var attainment = Attainment(try text(), rung: try optional())
    for _ in 0..<(try count(of: "ways")) {
      attainment.misses.append(Miss(try text(), because: try text()))
    }
    return attainment
  }

  /// Whether a word stands there; `-` says that it does not.
  private mutating func flag(_ word: String) throws(FormatError) -> Bool {
    if isNone() { return false }
    let found = try choice()
    guard word ~= found else { throw FormatError("“\(found)” is not “\(word)”") }
    return true
  }

  mutating func holderID() throws(FormatError) -> HolderID {
    let text = try text()
    guard let id = HolderID(text) else { throw FormatError("“\(text)” is no holder") }
    return id
  }

  /// One of the holders by its number, which a second line for the same one does not have, or another one by its identity.
  fileprivate mutating func holderID(
    among holders: [HolderID?]
  ) throws(FormatError) -> HolderID {
    if let word = peek(), let number: Int = number(in: word) {
      guard holders.indices.contains(number), let id = holders[number] else {
        throw FormatError("\(number) is no holder's number")
      }
      _ = try self.word()
      return id
    }
    let id = try holderID()
    guard !holders.contains(id) else { throw FormatError("“\(id)” has a number") }
    return id
  }

  private mutating func optionalProcess() throws(FormatError) -> ProcessIdentity? {
    isNone() ? nil : try process()
  }

  /// All of an entry that has been part of one since version 1, but for its claims.
  mutating func fields() throws(FormatError) -> Entry.Fields { try fields(of: try setting()) }

  /// The same, on a line with two words more.
  fileprivate mutating func fields(
    like known: inout KnownFields, in format: Int
  ) throws(FormatError) -> Entry.Fields {
    let setting = try setting()
    let words = rest(before: 2)
    if var fields = known.fields(of: words) {
      fields.setting = setting
      skip(words)
      return fields
    }
    var fields = try fields(of: setting)
    if format > 2 { fields.leftBehind = try optionalProcess() }
    known.add(fields, of: words)
    return fields
  }

  private mutating func fields(of setting: Setting) throws(FormatError) -> Entry.Fields {
    var fields = Entry.Fields(setting: setting, original: try value())
    fields.written = try optionalValue()
    switch (try optionalValue(), try optionalValue()) {
    case (let from?, let to?): fields.intent = Intent(from: from, to: to)
    case (nil, nil): break
    default: throw FormatError("an intent has only one of its values")
    }
    fields.foreign = try optionalValue()
    fields.verdict = try optional()
    return fields
  }

  fileprivate mutating func claim(of holder: HolderID) throws(FormatError) -> HeldClaim {
    let claim = try claim()
    let beginsWithSubject = try flag("subject")
    return HeldClaim(
      holder: holder, claim: claim, reason: try text(), beginsWithSubject: beginsWithSubject)
  }
}
