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
        berth config show win10
        berth config explain latency
      """,
    subcommands: [
      ConfigCheckCommand.self, ConfigShowCommand.self, ConfigExplainCommand.self,
    ])
}

struct ConfigCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check the policy file.",
    discussion: """
      What is right and does nothing is a warning: a section for no VM of this host, or for one that another section \
      names as well, keys that others leave without effect, and what this host does not have or Berth leaves alone: \
      services, settings, governors.

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
    let host = try options.host
    let policy = try policy(of: host)
    let report = PolicyReport(
      policy, warnings: try PolicyExaminer(host: host, file: policy).warnings())
    try options.print(report, lines: report.lines)
    if !report.errors.isEmpty { throw ExitCode(2) }
  }

  private func policy(of host: Host) throws -> PolicyFile {
    guard let file else { return try host.policyFile() }
    let bytes = try DomainFile.bytes(of: file)
    return PolicyFile(bytes, named: file)
  }
}

struct ConfigShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what the policy comes to for a VM, and who says so.",
    discussion: """
      Of each key the value and its origin: file, line and section, a profile and what names it, the VM's \
      own metadata, or the default.

      EXAMPLES
        berth config show win10
        berth config show 100 -v
        berth config show win10 --json | jq '.keys[] | select(.origin != "default")'
      """)

  @OptionGroup var named: NamedDomain

  @Flag(name: .shortAndLong, help: "Show also the keys that have their defaults.")
  var verbose = false

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    let domain = try named.domain(on: host)
    let policy = try host.policyFile().effective(for: domain)
    let report = ConfigReport(policy.keys, of: domain, warnings: policy.warnings)
    try options.print(
      report, lines: report.lines(isVerbose: verbose, columns: LiveView.window?.columns))
  }
}

struct ConfigExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explain a profile or a key of the policy: what it does, takes, costs and risks.",
    discussion: """
      Of each key its types and values, its default and an example. Without a name, all profiles and all keys. \
      A VM's profile is named in its section of the policy file: profile = "latency".

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
    try options.print(report, lines: name == nil ? report.everything : report.lines)
  }

  private func explanation(of name: String, _ file: PolicyFile) throws -> [PolicyExplanation] {
    guard let found = file.explanation(of: name) else {
      let nearest = file.nearestName(to: name).map { "; the nearest is \($0)" } ?? ""
      throw Complaint("there is neither a profile nor a key “\(name)”\(nearest)")
    }
    return [found]
  }
}
