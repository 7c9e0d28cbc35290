import HostModel
import Testing

/// A list must survive the trip through the kernel's text exactly, and nothing else may pass.
struct CPUListTests {
  @Test(arguments: [
    ("", ""), ("0", "0"), ("0-3,8", "0-3,8"), ("3,2,1", "1-3"), (" 0-1 , 5 ", "0-1,5"),
    ("63-65", "63-65"), ("16383", "16383"), ("1,1,1-2\n", "1-2"),
  ])
  func readsWhatTheKernelPrints(text: String, normal: String) throws {
    #expect(try CPUList(parsing: text).description == normal)
  }

  @Test(arguments: [
    "a", "-1", "1-", "3-1", "1,,2", "0x1", "16384", "1-99999999999999999999", "^1", "+1",
  ])
  func refusesWhatIsNoList(text: String) {
    #expect(throws: CPUListError(text: text)) { try CPUList(parsing: text) }
  }

  @Test(arguments: [("0-7,^3", "0-2,4-7"), ("^3,0-7", "0-7"), ("4,^4", "")])
  func takesExclusionsInTheirOrder(text: String, normal: String) throws {
    #expect(try CPUList(parsing: text, allowsExclusions: true).description == normal)
  }

  @Test(arguments: [-1, 0, 5, 63, 64, 16_383, 16_384, .max])
  func takesAnyNumberAway(member: Int) {
    var list: CPUList = [0, 1, 64]
    list.remove(member)
    #expect(list == CPUList([0, 1, 64].filter { $0 != member }))
  }

  @Test func readsAMillionParts() throws {
    let text = String(repeating: "1,", count: 1_000_000) + "2"
    #expect(try CPUList(parsing: text) == [1, 2])
  }

  @Test(arguments: [
    ("ff", "0-7"), ("00000001,00000000", "32"), ("0", ""), ("1,80000001", "0,31-32"),
  ])
  func readsMasks(mask: String, list: String) throws {
    #expect(try CPUList(parsingMask: mask).description == list)
  }

  @Test(arguments: [CPUList(), [0], [31], [32], [0, 63, 64], [5, 100, 4095]])
  func writesMasksThatReadBack(list: CPUList) throws {
    #expect(try CPUList(parsingMask: list.mask) == list)
  }

  @Test(arguments: [CPUList(), [0], [63], [64], [0, 63, 64, 127, 130], [16383]])
  func survivesTheTripThroughWords(list: CPUList) {
    #expect(CPUList(words: list.words) == list)
    #expect(CPUList(words: list.words + [0, 0].prefix(256 - list.words.count)) == list)
    #expect(CPUList(Array(list)) == list)
  }

  @Test(arguments: [0...0, 0...63, 63...64, 3...200, 64...127, 16320...16383])
  func addsRangesAsItAddsTheirNumbers(range: ClosedRange<Int>) {
    var list: CPUList = [5, 300]
    list.insert(range)
    #expect(list == CPUList([5, 300] + Array(range)))
    #expect(Array(list) == Set([5, 300] + Array(range)).sorted())
  }

  @Test func comparesByMembersAlone() {
    let narrowed = CPUList([1, 900]).subtracting([900])
    #expect(narrowed == [1])
    #expect(narrowed.hashValue == CPUList([1]).hashValue)
  }

  @Test func hasTheAlgebraOfSets() {
    let left: CPUList = [0, 1, 2, 70]
    let right: CPUList = [2, 3, 70]
    #expect(left.union(right) == [0, 1, 2, 3, 70])
    #expect(left.intersection(right) == [2, 70])
    #expect(left.subtracting(right) == [0, 1])
    #expect(left.isDisjoint(with: [4]) && !left.isDisjoint(with: right))
    #expect(CPUList([2]).isSubset(of: left) && CPUList().isSubset(of: []))
    #expect(left.count == 4 && left.first == 0 && Array(right) == [2, 3, 70])
  }
}
