internal import ArgumentParser
internal import Formats

/// Writes the manual pages from what the program says of itself; for whoever packages it.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Write a manual page.",
    discussion: """
      EXAMPLES
        berth manual berth.8 >docs/man/berth.8
        berth manual berth.toml.5 | man -l -
      """,
    shouldDisplay: false)

  enum Page: String, ExpressibleByArgument, CaseIterable {
    case program = "berth.8"
    case policy = "berth.toml.5"
  }

  @Argument(help: "The page: berth.8 or berth.toml.5.")
  var page: Page

  func run() throws {
    switch page {
    case .program: Terminal.write(1, ProgramManual(tool: try .ofBerth()).page)
    case .policy: Terminal.write(1, PolicyManual(.empty).page)
    }
  }
}
