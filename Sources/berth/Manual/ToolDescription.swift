internal import ArgumentParser
internal import Bytes
internal import FoundationEssentials

/// The commands with their arguments, as ArgumentParser describes them to other programs.
struct ToolDescription: Decodable {
  var command: Command

  struct Command: Decodable {
    var commandName: String
    var abstract: String?
    var discussion: String?
    var arguments: [Argument]?
    var subcommands: [Command]?
    var shouldDisplay: Bool
  }

  struct Argument: Decodable {
    var kind: String
    var names: [Name]?
    var valueName: String?
    var abstract: String?
    var defaultValue: String?
    var isOptional: Bool
    var isRepeating: Bool
    var shouldDisplay: Bool
  }

  struct Name: Decodable {
    var kind: String
    var name: String
  }

  /// What `berth` itself consists of.
  static func ofBerth() throws -> ToolDescription {
    try JSONDecoder().decode(ToolDescription.self, from: Data(Berth._dumpHelp().utf8))
  }
}

extension ToolDescription.Command {
  /// The subcommands that a user is shown, those of ArgumentParser's own left out.
  var shownSubcommands: [ToolDescription.Command] {
    (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
  }

  /// The arguments that are this command's own: every command has those for help.
  var ownArguments: [ToolDescription.Argument] {
    (arguments ?? []).filter { argument in
      argument.shouldDisplay && !["help", "version"].contains(argument.names?.last?.name ?? "")
    }
  }

  /// What is said of the command, without its examples.
  var prose: [String] {
    (discussion ?? "").split(separator: "EXAMPLES", omittingEmptySubsequences: false)[0]
      .split(separator: "\n\n").map { String($0).replacing("\n", with: " ") }
  }

  /// The lines of the examples, as they are typed.
  var examples: [String] {
    (discussion ?? "").split(separator: "EXAMPLES\n", omittingEmptySubsequences: false).dropFirst()
      .flatMap { $0.fields(at: "\n") }.map {
        String($0.begins(with: "  ") ? $0.dropFirst(2) : $0)
      }
  }
}

extension ToolDescription.Argument {
  /// How the argument is written, such as `--root folder`.
  var spelling: String {
    let value = kind == "flag" ? "" : valueName ?? "value"
    guard kind != "positional" else { return value.uppercased() }
    let names = (names ?? []).map { ($0.kind == "short" ? "-" : "--") + $0.name }
    return names.joined(separator: ", ") + (value.isEmpty ? "" : " \(value.uppercased())")
  }

  /// The argument in a synopsis, such as `[--root FOLDER]`.
  var synopsis: String {
    let names = (names ?? []).map { ($0.kind == "short" ? "-" : "--") + $0.name }
    let value = kind == "flag" ? "" : (valueName ?? "value").uppercased()
    let words = [kind == "positional" ? "" : names.first ?? "", value]
    let written =
      words.filter { !$0.isEmpty }.joined(separator: " ") + (isRepeating ? " ..." : "")
    return isOptional ? "[\(written)]" : written
  }
}
