import Formats
import FoundationEssentials
import Testing

@testable import berth

/// The manual pages are made of what the program says of itself.
struct ManualTests {
  @Test func everyCommandHasAnExampleAndEveryArgumentAWord() throws {
    func check(_ command: ToolDescription.Command) {
      #expect(!command.examples.isEmpty, "\(command.commandName)")
      #expect(command.abstract?.isEmpty == false, "\(command.commandName)")
      for argument in command.ownArguments {
        #expect(argument.abstract?.isEmpty == false, "\(command.commandName) \(argument.spelling)")
      }
      command.shownSubcommands.forEach(check)
    }
    check(try ToolDescription.ofBerth().command)
  }

  @Test func everyExampleIsOfACommandThatThereIs() throws {
    func lines(of command: ToolDescription.Command) -> [String] {
      command.examples + command.shownSubcommands.flatMap(lines)
    }
    let root = try ToolDescription.ofBerth().command
    let names = (root.subcommands ?? []).map(\.commandName)
    for line in lines(of: root) where line.hasPrefix("berth ") {
      let word = String(line.split(separator: " ")[1])
      #expect(names.contains(word), "\(line)")
    }
  }

  @Test func thePageOfTheProgramHasEveryCommand() throws {
    let tool = try ToolDescription.ofBerth()
    let page = ProgramManual(tool: tool).page
    for command in tool.command.shownSubcommands where command.shownSubcommands.isEmpty {
      #expect(page.contains(".SS \"berth \(command.commandName)\""))
    }
    #expect(page.contains(".SS \"berth config check\"") && !page.contains("berth manual\""))
  }

  @Test func thePageOfThePolicyHasEveryKey() {
    let page = PolicyManual(.empty).page
    for key in PolicyFile.empty.explanation(of: "auto")?.keys ?? [] {
      let path = key.path.replacing("-", with: "\\-")
      #expect(page.contains("\\fB\(path) = "))
    }
    #expect(page.contains("\\fBlatency\\fR"))
  }

  @Test func everyCommandHasItsExitStatusesInTheDocumentation() throws {
    func leaves(of command: ToolDescription.Command, _ words: [String]) -> [String] {
      let inner = command.shownSubcommands
      if inner.isEmpty { return [words.joined(separator: " ")] }
      return inner.flatMap { leaves(of: $0, words + [$0.commandName]) }
    }
    let commands = leaves(of: try ToolDescription.ofBerth().command, [])
    #expect(ExitStatus.all.map(\.command).sorted() == commands.sorted())
    let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let text = try String(contentsOfFile: "/\(repository)/docs/SCRIPTS.md", encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
    #expect(rows == ExitStatus.all.map(\.row))
  }

  @Test(arguments: [
    (".dot", "\\&.dot"), ("'quote", "\\(aqquote"), ("a\\b", "a\\eb"), ("--x", "\\-\\-x"),
    ("“µ”", "\\(lq\\(mc\\(rq"),
  ])
  func nothingInATextIsARequest(words: String, written: String) {
    var roff = Roff(title: "X", section: 8, date: "2026-01-01", source: "x")
    roff.paragraph("first")
    roff.paragraph(words)
    #expect(roff.text.hasSuffix("\n.PP\n\(written)\n"))
  }
}
