import Testing

@testable import Formats

/// What a QEMU answers, which its guest may have taken over.
struct JSONReaderTests {
  @Test(arguments: ["1,", "[],", "{},", "{\"a\":[]},", "\"\","])
  func hasNoMoreValuesThanAnAnswer(part: String) throws {
    let text = { (count: Int) in Array(("[" + String(repeating: part, count: count) + "0]").utf8) }
    _ = try JSONReader.value(of: text(60_000))
    let error = #expect(throws: JSONError.self) { try JSONReader.value(of: text(140_000)) }
    #expect(error?.sentence == "more than 131072 values")
  }
}
