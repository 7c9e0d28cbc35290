import HostModel
import Ledger
import Testing

/// What claims come to, whatever their order: independent of what the engine does with it.
struct ResolveTests {
  private static let every = CPUList(0...3)

  /// An original, claims on it, and the value that they come to; nil where they contradict.
  private static let cases: [(original: Value, claims: [Claim], value: Value?)] = [
    (.text("a"), [], .text("a")),
    (.text("a"), [.keep, .keep], .text("a")),
    (.text("a"), [.exactly(.text("b")), .keep, .exactly(.text("b"))], .text("b")),
    (.text("a"), [.exactly(.text("b")), .exactly(.text("c"))], nil),
    (.text("a"), [.alone(.text("b"))], .text("b")),
    (.text("a"), [.alone(.text("b")), .alone(.text("b"))], nil),
    (.text("a"), [.alone(.text("b")), .exactly(.text("b"))], nil),
    (.cpus(every), [.withoutCPUs([1], all: every), .withoutCPUs([2], all: every)], .cpus([0, 3])),
    (.cpus(every), [.withoutCPUs([0, 1], all: every), .withoutCPUs([2, 3], all: every)], nil),
    (.cpus([0, 1]), [.withoutCPUs([1], all: every)], .cpus([0])),
    (.cpus([1]), [.withoutCPUs([1], all: every)], .cpus([0, 2, 3])),
    (
      .cpus([1, 2]), [.withoutCPUs([1], all: every), .withoutCPUs([2, 3], all: every)], .cpus([0])
    ),
    (.cpus([1]), [.withoutCPUs([1], all: [1])], nil),
    (
      .allowedCPUs(AllowedCPUs(cpus: [1], hasRuntimeDropIn: false)),
      [.withoutCPUs([1], all: every)], nil
    ),
    (.cpus([]), [.withCPUs([1]), .withCPUs([2, 3])], .cpus([1, 2, 3])),
    (.cpus(every), [.withoutCPUs([1], all: every), .exactly(.cpus([1]))], nil),
    (.text("a"), [.withoutCPUs([1], all: every)], nil),
    (
      .allowedCPUs(AllowedCPUs(cpus: [], hasRuntimeDropIn: false)),
      [.withoutCPUs([1], all: every), .withoutCPUs([3], all: every)],
      .allowedCPUs(AllowedCPUs(cpus: [0, 2], hasRuntimeDropIn: true))
    ),
    (.text("1"), [.atLeast(10), .atLeast(120), .atLeast(30)], .text("120")),
    (.text("500"), [.atLeast(10), .atLeast(120)], .text("500")),
    (.text("90"), [.atMost(50), .atMost(20), .atMost(70)], .text("20")),
    (.text("90"), [.atMost(50), .atLeast(20)], .text("50")),
    (.text("90"), [.atMost(50), .atLeast(60)], nil),
    (.text("fast"), [.atLeast(1)], nil),
    (.count(3), [.more(4, need: 4), .more(5, need: 9)], .count(9)),
    (.count(3), [.more(4, need: 4), .atLeast(9)], nil),
  ]

  @Test(arguments: cases.indices)
  func claimsComeToTheSameInEveryOrder(index: Int) {
    let (original, claims, value) = Self.cases[index]
    var chooser = Chooser()
    while chooser.next() {
      var waiting = claims
      var order: [Claim] = []
      while !waiting.isEmpty { order.append(waiting.remove(at: chooser.pick(waiting.count))) }
      do throws(ResolveError) {
        #expect(try resolve(original, with: order) == value)
      } catch {
        #expect(value == nil, "\(order) come to \(error)")
      }
    }
  }

  @Test func whatWasTakenLastIsGivenBackFirst() throws {
    let world = World(Sample.host)
    let visitor = Visitor(
      "solo",
      [Sample.governor, Crowd.ceiling, Sample.latency].map {
        Change($0, .exactly(.text("44")), because: "order")
      })
    world.values[Crowd.ceiling] = .text("90")
    try world.enter(visitor)
    try world.leave(visitor)
    let order = world.writes.map(\.setting)
    #expect(Array(order.prefix(3)) == visitor.changes.map(\.setting))
    #expect(Array(order.suffix(3)) == visitor.changes.map(\.setting).reversed())
  }
}
