internal import ArgumentParser
internal import Bytes
internal import Formats
internal import HostModel
internal import Port

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Look after the policy file.",
    discussion: """
      EXAMPLES
        berth config check
        berth config explain latency
      """,
    subcommands: [ConfigCheckCommand.self, ConfigExplainCommand.self])
}

struct ConfigCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check the policy file.",
    discussion: """
      A section that is for no VM, for one that another section names as well, or never counts for \
      another reason, is a warning.

      EXAMPLES
        berth config check
        berth config check --file berth.toml
      """)

  @Option(
    help: ArgumentHelp("A policy file other than /etc/berth/berth.toml.", valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var file: String?

  @OptionGroup var options: HostOptions

  func run() throws {
    let isProxmox = try options.host.kernel.exists("/etc/pve")
    let report = PolicyReport(try policy(), on: isProxmox ? .proxmox : .libvirt)
    try options.print(report, lines: report.lines)
    if !report.errors.isEmpty { throw ExitCode(2) }
  }

  private func policy() throws -> PolicyFile {
    guard let file else { return try options.host.policyFile() }
    let bytes = try DomainFile.bytes(of: file)
    return PolicyFile(bytes, named: file)
  }
}

struct ConfigExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say what a profile or a key of the policy does, what it costs and what it risks.",
    discussion: """
      Without a name, all profiles. A VM's profile is named in its section of the policy file:
      profile = "latency".

      EXAMPLES
        berth config explain
        berth config explain latency
        berth config explain cpu.governor
      """)

  @Argument(
    help: "A profile, a key such as cpu.governor, or a group of keys such as cpu.",
    completion: .list(PolicyFile.empty.explainedNames))
  var name: String?

  @OptionGroup var options: HostOptions

  func run() throws {
    let file = try options.host.policyFile()
    let report = try ExplanationReport(name.map { try explanation(of: $0, file) } ?? file.profiles)
    try options.print(report, lines: name == nil ? report.summary : report.lines)
  }

  private func explanation(of name: String, _ file: PolicyFile) throws -> [PolicyExplanation] {
    guard let found = file.explanation(of: name) else {
      let nearest = file.nearestName(to: name).map { "; the nearest is \($0)" } ?? ""
      throw Complaint("there is neither a profile nor a key “\(name)”\(nearest)")
    }
    return [found]
  }
}
