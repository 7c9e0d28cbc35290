internal import ArgumentParser
internal import HostModel

/// The first word of a command line that is the name of no command, where one is expected.
///
/// The parser takes it for an argument too many and names no other.
struct MistypedCommand: CustomStringConvertible {
  /// What was typed.
  var word: String
  /// The commands before it, with the program's name.
  var path: [String]
  /// Those that there are.
  var names: [String]

  /// Nil where each command of the line is known; `arguments` is without the program's name.
  init?(in arguments: [String], of program: any ParsableCommand.Type) {
    var command = program
    var path = [command.configuration.commandName ?? ""]
    for word in arguments {
      let known = command.configuration.subcommands
      if known.isEmpty || word.utf8.first == UInt8(ascii: "-") { return nil }
      let found = known.first { ($0.configuration.commandName ?? "").utf8.elementsEqual(word.utf8) }
      guard let found else {
        if word.utf8.elementsEqual("help".utf8) { return nil }
        self.init(word: word, path: path, names: known.compactMap { $0.configuration.commandName })
        return
      }
      command = found
      path.append(word)
    }
    return nil
  }

  private init(word: String, path: [String], names: [String]) {
    (self.word, self.path, self.names) = (word, path, names)
  }

  var description: String {
    let command = path.joined(separator: " ")
    let nearest = Spelling.nearest(to: word, among: names).map {
      "; the nearest is “\(command) \($0)”"
    }
    return "“\(word)” is no command\(nearest ?? ""); “\(command) --help” lists them"
  }
}
