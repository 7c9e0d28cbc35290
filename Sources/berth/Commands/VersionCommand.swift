internal import ArgumentParser

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the version, as -V and --version do.",
    discussion: """
      EXAMPLES
        berth version
      """)

  func run() { print(programVersion) }
}
