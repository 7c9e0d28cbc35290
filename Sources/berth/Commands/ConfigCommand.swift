internal import ArgumentParser
internal import HostIO

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Look after the policy file.",
    subcommands: [ConfigCheckCommand.self])
}

struct ConfigCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say whether the policy file is right, and where it is not.",
    discussion: """
      EXAMPLES
        berth config check
        berth config check --file berth.toml
      """)

  @Option(
    help: ArgumentHelp("A policy file other than /etc/berth/berth.toml.", valueName: "file"))
  var file: String?

  @OptionGroup var options: HostOptions

  func run() throws {
    let report = PolicyReport(try policy())
    try options.print(report, lines: report.lines)
    if !report.errors.isEmpty { throw ExitCode(2) }
  }

  private func policy() throws -> PolicyFile {
    guard let file else { return try options.host.policyFile() }
    let bytes = try DomainFile.bytes(of: file)
    return PolicyFile(String(decoding: bytes, as: UTF8.self), named: file)
  }
}
