import HostModel
import Testing

struct QuantityTests {
  private static let texts: [(String, Quantity, Int?)] = [
    ("0", .pages, 0), ("1099511627776", .pages, 1 << 40), ("1099511627777", .pages, nil),
    ("-1", .pages, nil), ("1023", .node, 1023), ("1024", .node, nil), ("16383", .cpu, 16383),
    ("16384", .cpu, nil), ("0", .process, nil), ("4194304", .process, 4_194_304),
    ("4194305", .process, nil), ("-1", .integer, -1), ("2147483648", .integer, nil),
    ("9223372036854775807", .kibibytes, nil), ("9223372036854775808", .kibibytes, nil),
    ("99999999999999999999999999", .kibibytes, nil), ("1e308", .kibibytes, nil),
    ("", .pages, nil), (" 1", .pages, nil), ("\u{0661}", .pages, nil), ("0", .pageKibibytes, nil),
  ]

  @Test(arguments: texts)
  func aNumberIsOneThatThereCanBe(text: String, quantity: Quantity, number: Int?) {
    #expect(quantity.number(text) == number)
  }

  private static let names: [(String, Quantity, String, Int?)] = [
    ("node16384", .node, "node", nil), ("node7", .node, "node", 7),
    ("node-1", .node, "node", nil), ("nodes", .node, "node", nil),
    ("cpu99999999999999999999", .cpu, "cpu", nil),
  ]

  @Test(arguments: names)
  func aNumberInANameIsOneThatThereCanBe(
    name: String, quantity: Quantity, prefix: String, number: Int?
  ) {
    #expect(quantity.number(in: name, after: prefix) == number)
  }

  @Test(arguments: [
    (0.4, 0), (0.5, 1), (-2.5, -3), (1e308, 9_223_372_036_854_774_784), (-1e308, Int.min),
    (.infinity, 9_223_372_036_854_774_784), (-.infinity, Int.min), (.nan, 0), (.signalingNaN, 0),
    (9_223_372_036_854_775_808, 9_223_372_036_854_774_784), (1e15, 1_000_000_000_000_000),
  ])
  func aFractionBecomesTheNearestNumber(number: Double, nearest: Int) {
    #expect(Int(nearest: number) == nearest)
  }

  @Test(arguments: [Int.min, -1, 0, 1, 1 << 40, Int.max])
  func noAmountOfPagesIsMoreThanThereCanBe(pages: Int) {
    for size in [4, 2048, 1 << 24, Int.max] {
      let amount = HugepagePool(node: 0, pageKiB: size).kibibytes(in: pages)
      #expect((-(1 << 42)...1 << 42).contains(amount))
      #expect((amount < 0) == (pages < 0))
    }
    #expect(HugepagePool(node: 0, pageKiB: 2048).kibibytes(in: 3) == 6144)
  }
}
