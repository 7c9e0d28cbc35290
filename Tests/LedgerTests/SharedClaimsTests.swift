import HostModel
import Ledger
import Testing

/// What many VMs claim of many settings is kept once, and comes to the same as if it were not.
struct SharedClaimsTests {
  private func interrupt(_ number: Int) -> Setting {
    .attribute(path: "/proc/irq/\(number)/smp_affinity_list", .cpuList)
  }

  private func visitor(_ number: Int) -> Visitor {
    Visitor(
      "vm\(number)",
      (0..<100).map { interrupt in
        Change(
          self.interrupt(interrupt), .withoutCPUs([number + 1], all: [0]),
          of: "nvme0q\(interrupt)", because: "would interrupt the vCPUs of vm\(number)")
      })
  }

  private func host() -> World {
    World(
      Dictionary(
        uniqueKeysWithValues: (0..<100).map { (interrupt($0), .cpus(CPUList(0..<80))) }))
  }

  @Test func theTextGrowsByVMsPlusInterrupts() throws {
    let world = host()
    try world.enter(visitor(0))
    let one = LedgerText.encode(world.saved, boot: "b").count
    for number in 1..<16 { try world.enter(visitor(number)) }
    let sixteen = LedgerText.encode(world.saved, boot: "b").count
    // A holder's line and a claim's for each, and not a hundred claims.
    #expect(sixteen - one < 15 * 250, "\(one) bytes, \(sixteen) bytes")
    let read = try LedgerText.decode(LedgerText.encode(world.saved, boot: "b")).ledger
    #expect(read == world.saved)
    #expect(read.entries.allSatisfy { $0.claims.count == 16 })
    #expect(
      read.entries[7].reason(for: read.entries[7].claims[3])
        == "nvme0q7 would interrupt the vCPUs of vm3")
  }

  @Test func aTextThatWasReadIsWrittenAgainAsItWas() throws {
    let world = host()
    for number in 0..<5 { try world.enter(visitor(number)) }
    let text = LedgerText.encode(world.saved, boot: "b")
    #expect(LedgerText.encode(try LedgerText.decode(text).ledger, boot: "b") == text)
  }

  @Test func whatIsChangedAfterReadingIsWrittenSo() throws {
    let world = host()
    for number in 0..<5 { try world.enter(visitor(number)) }
    func passThroughText() throws {
      world.saved = try LedgerText.decode(LedgerText.encode(world.saved, boot: "b")).ledger
    }
    try passThroughText()
    try world.leave(visitor(0))
    try passThroughText()
    try world.enter(visitor(6))
    try passThroughText()
    #expect(world.saved.entries.allSatisfy { $0.claims.count == 5 })
    #expect(world.values[interrupt(3)] == .cpus(CPUList([0, 1, 6] + (8..<80))))
    for number in [6, 1, 4, 2, 3] {
      try world.leave(visitor(number))
      try passThroughText()
    }
    #expect(world.values == host().values && world.saved == Ledger())
  }

  @Test func theHeadTellsWhoIsInAndWhetherAnythingWaits() throws {
    let world = host()
    try world.enter(visitor(0))
    let head = try #require(try LedgerText.head(in: LedgerText.encode(world.saved, boot: "b")))
    #expect(head.boot == "b" && head.head == LedgerHead(of: world.saved))
    #expect(head.head.holders == world.saved.holders && head.head.unfinishedCount == 0)
    world.saved.entries[4].verdict = "EIO"
    world.saved.entries[5].claims = []
    world.saved.entries[6].intent = Intent(from: .cpus([0]), to: .cpus([1]))
    let text = LedgerText.encode(world.saved, boot: "b")
    #expect(try LedgerText.head(in: text)?.head.unfinishedCount == 3)
  }

  @Test func theHeadIsReadFromABeginningThatHoldsIt() throws {
    let world = host()
    try world.enter(visitor(0))
    let text = LedgerText.encode(world.saved, boot: "b")
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    let length = lines.prefix { !$0.hasPrefix("claim") }.reduce(0) { $0 + $1.utf8.count + 1 }
    for count in 15..<length {
      #expect(try LedgerText.head(in: Array(text[..<count])) == nil, "\(count) bytes")
    }
    #expect(try LedgerText.head(in: Array(text[..<length])) != nil)
    for index in 0..<length {
      var damaged = text
      damaged[index] ^= 1
      let head = try? LedgerText.head(in: damaged)
      #expect(head == nil, "byte \(index)")
    }
  }
}
