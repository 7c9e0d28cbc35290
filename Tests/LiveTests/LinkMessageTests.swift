import HostModel
import Testing

@testable import Live
@testable import SystemCalls

/// What is said to rtnetlink about virtual functions, and what it answers.
struct LinkMessageTests {
  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number) { Array($0) }
  }

  private static func attribute(_ kind: UInt16, _ value: [UInt8]) -> [UInt8] {
    bytes(UInt16(4 + value.count)) + bytes(kind) + value
      + [UInt8](repeating: 0, count: -value.count & 3)
  }

  private static func message(_ kind: UInt16, _ body: [UInt8]) -> [UInt8] {
    bytes(UInt32(16 + body.count)) + bytes(kind) + [UInt8](repeating: 0, count: 10) + body
  }

  /// A function as igb tells of it, with a counter's attribute that nobody asked for.
  private static func function(_ index: UInt32, vlan: UInt32, trust: UInt32) -> [UInt8] {
    let mac: [UInt8] = [0x52, 0x54, 0, 0xaa, 0, UInt8(index)]
    let tag = bytes(index) + bytes(vlan) + bytes(UInt32(3))
    return attribute(
      1,
      attribute(1, bytes(index) + mac + [UInt8](repeating: 0, count: 26))
        + attribute(2, tag)
        + attribute(12, attribute(1, tag + [0x88, 0xa8, 0, 0]))
        + attribute(4, bytes(index) + bytes(UInt32(1)))
        + attribute(9, bytes(index) + bytes(trust)) + attribute(8, []))
  }

  private static let answer = message(
    16,
    [UInt8](repeating: 0, count: 16) + attribute(3, Array("eno1\0".utf8))
      + attribute(22, function(1, vlan: 0, trust: .max) + function(0, vlan: 69, trust: 1)))

  @Test func readsEachFunction() throws {
    let states = try LinkMessage.functions(in: Self.answer)
    #expect(states.map(\.index) == [0, 1])
    #expect(states[0][.vlan] == "69 qos 3 proto 802.1ad" && states[0][.trust] == "on")
    #expect(states[0][.mac] == "52:54:00:aa:00:00" && states[0][.spoofCheck] == "on")
    // A driver that does not tell leaves -1 there.
    #expect(states[1][.trust] == nil)
  }

  @Test func noPartOfAnAnswerAndNoFlippedByteCrashes() {
    for length in 0..<Self.answer.count {
      #expect(throws: CallError.self) {
        try LinkMessage.functions(in: Array(Self.answer[..<length]))
      }
    }
    for index in Self.answer.indices {
      for flip in [UInt8(1), 0x80, 0xff] {
        var damaged = Self.answer
        damaged[index] ^= flip
        let states = (try? LinkMessage.functions(in: damaged)) ?? []
        #expect(states.count <= 2)
      }
    }
  }

  @Test(arguments: [(Int32(0), Int32(0)), (-95, 95), (-22, 22)])
  func tellsWhatTheKernelAnswers(result: Int32, number: Int32) {
    let answer = Self.message(2, Self.bytes(result) + [UInt8](repeating: 0, count: 16))
    do throws(CallError) {
      try LinkMessage.acknowledge(answer)
      #expect(number == 0)
    } catch {
      #expect(error.number == number)
    }
  }

  @Test(arguments: [
    (VirtualFunctionAttribute.vlan, "69", UInt16(2), [UInt32(5), 69, 0]),
    (.vlan, "0", 2, [5, 0, 0]), (.vlan, "69 qos 3", 2, [5, 69, 3]),
    (.trust, "on", 9, [5, 1]), (.spoofCheck, "off", 4, [5, 0]),
  ])
  func ordersWhatIsAsked(
    attribute: VirtualFunctionAttribute, text: String, kind: UInt16, numbers: [UInt32]
  ) throws {
    let order = try LinkMessage.order(7, 5, attribute, text)
    let info = Self.attribute(
      22, Self.attribute(1, Self.attribute(kind, numbers.flatMap { Self.bytes($0) })))
    #expect(Array(order.dropFirst(32)) == info)
    #expect(Array(order[20..<24]) == Self.bytes(UInt32(7)) && order[4] == 19)
  }

  @Test(arguments: [
    (VirtualFunctionAttribute.vlan, "many"), (.vlan, "4096"), (.mac, "52:54:00"), (.trust, "yes"),
    (.mac, "52:54:00:aa:00:+1"),
  ])
  func ordersNothingThatSaysNothing(attribute: VirtualFunctionAttribute, text: String) {
    #expect(throws: CallError(number: 22)) { try LinkMessage.order(1, 0, attribute, text) }
  }
}
