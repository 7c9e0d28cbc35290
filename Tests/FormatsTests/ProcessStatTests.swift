import Formats
import Testing

@Suite("/proc/PID/stat")
struct ProcessStatTests {
  private static let zeros = String(repeating: " 0", count: 12)

  @Test(
    "the fields are counted from the last parenthesis on",
    arguments: ["cat", "a) b) c", "(sd-pam)", "", ") S 1 1 1", "CPU 0/KVM", "w\u{301}"])
  func names(name: String) throws {
    let line = "42 (\(name)) S 7 0 0 0 0 2097216\(Self.zeros) 8641212 0 0\n"
    let stat = try #require(ProcessStat(line))
    #expect(Array(stat.name.utf8) == Array(name.utf8))
    #expect(stat.state == "S")
    #expect(stat.parent == 7)
    #expect(stat.startTime == 8_641_212)
    #expect(stat.isKernelThread)
    #expect(!stat.isBoundByKernel)
  }

  @Test(
    "what is no such line is none",
    arguments: [
      "", "\n", "42", "42 cat S 1", "42 )cat( S 1", "42 (cat", "42 (cat)", "42 (cat) S 1 0 0 0 0 1",
      "42 (cat) S x 0 0 0 0 1\(zeros) 1", "42 (cat) S 1 0 0 0 0 x\(zeros) 1",
      "42 (cat) S 1 0 0 0 0 1\(zeros) x", "42 (cat) S 1 0 0 0 0 1\(zeros)\n1",
      "42 (cat) S 1 0 0 0 0 1\(zeros) 9223372036854775808",
    ])
  func none(text: String) {
    #expect(ProcessStat(text) == nil)
  }
}
