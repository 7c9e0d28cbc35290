import Bytes
import Support
import Testing

/// The code in CONTRIBUTING.md is that of the files that it names, which are compiled and tested.
struct ContributingTests {
  /// A piece of code, and the file that was named last before it.
  struct Example: Sendable, CustomTestStringConvertible {
    var file: String
    /// The lines between two `…`, without their indentation.
    var parts: [[String]]

    var testDescription: String { "\(file): \(parts.first?.first ?? "")" }
  }

  private static let repository =
    "/" + #filePath.fields(at: "/").dropLast(3).joined(separator: "/")

  private static let examples: [Example] = {
    var examples: [Example] = []
    var file = ""
    var isCode = false
    for line in (try? FileText.read("\(repository)/CONTRIBUTING.md"))?.lines ?? [] {
      if line.begins(with: "```") {
        isCode.toggle()
        if isCode { examples.append(Example(file: file, parts: [[]])) }
      } else if isCode {
        let last = examples.count - 1
        if line.trimmed == "…" {
          examples[last].parts.append([])
        } else {
          examples[last].parts[examples[last].parts.count - 1].append(line.trimmed)
        }
      } else {
        file = line.fields(at: "`").last { $0.ends(with: ".swift") }.map(String.init) ?? file
      }
    }
    return examples
  }()

  @Test func hasATuningACheckAndAKindOfSetting() {
    #expect(Set(Self.examples.map(\.file)).count == 9)
  }

  @Test(arguments: examples)
  func theCodeIsThatOfItsFile(example: Example) throws {
    var rest = try FileText.read("\(Self.repository)/\(example.file)").lines.map(\.trimmed)[...]
    for part in example.parts where !part.isEmpty {
      let start = rest.indices.first { rest[$0...].starts(with: part) }
      let found = try #require(start, "\(example.file) has no such lines: copy them anew: \(part)")
      rest = rest[(found + part.count)...]
    }
  }
}
