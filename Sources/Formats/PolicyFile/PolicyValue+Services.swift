internal import Bytes
internal import HostModel

/// Units, domains and commands that policy names.
extension PolicyValue {
  /// The units of an array; a name without a type is that of a service.
  func services() throws(PolicyValueError) -> [String] {
    let expected = PolicyValueError(
      "an array of services, sockets or timers such as [\"display-manager.service\"]")
    var services: [String] = []
    for name in try texts(expected) {
      let types = [".service", ".socket", ".timer"]
      let unit = types.contains(where: name.ends) ? name : name + ".service"
      let isPlain = unit.utf8.allSatisfy { byte in
        byte.isDigit || byte.isLetter || ":-_.\\@".utf8.contains(byte)
      }
      let others = [".slice", ".scope", ".target", ".mount", ".device", ".path", ".swap"]
      guard isPlain, unit.utf8.count <= 200, !unit.begins(with: "."), !unit.begins(with: "-"),
        !others.contains(where: name.ends)
      else { throw expected }
      if !services.contains(unit) { services.append(unit) }
    }
    return services
  }

  /// The domains of an array, by whatever they are called.
  func domains() throws(PolicyValueError) -> [String] {
    let expected = PolicyValueError("an array of VMs such as [\"idle-vm\"]")
    var domains: [String] = []
    for name in try texts(expected) where !domains.contains(where: name.isSame) {
      guard !name.has("/"), name.utf8.count <= 255 else { throw expected }
      domains.append(name)
    }
    return domains
  }

  private static let commandKeys = ["at", "run", "undo", "timeout", "required"]

  /// The commands of an array of tables.
  func commands() throws(PolicyValueError) -> [Policy.Command] {
    let expected = PolicyValueError(
      "an array of tables such as [{ at = \"before-start\", run = [\"/usr/local/sbin/x\"] }]")
    guard case .array(let values) = self, values.count <= 50 else { throw expected }
    var commands: [Policy.Command] = []
    for value in values {
      guard case .table(let members) = value else { throw expected }
      commands.append(try Self.command(of: members))
    }
    return commands
  }

  private static func command(
    of members: [String: PolicyValue]
  ) throws(PolicyValueError) -> Policy.Command {
    for key in members.keys.sorted() where !commandKeys.contains(key) {
      throw PolicyValueError(
        "an array of tables with the keys \(commandKeys.joined(separator: ", "))"
          + " (\(quoted(key)) is none)")
    }
    guard let run = members["run"] else {
      throw PolicyValueError("an array of tables that each have the key run")
    }
    var command = Policy.Command(run: try run.arguments())
    if let at = members["at"] { command.moment = try at.word(of: Policy.Command.Moment.self) }
    if let undo = members["undo"] { command.undo = try undo.arguments() }
    if let timeout = members["timeout"] { command.milliseconds = try timeout.milliseconds() }
    if let required = members["required"] { command.isRequired = try required.bool() }
    if command.isRequired, command.moment == .started {
      throw PolicyValueError(
        "an array of tables in which only what is at “before-start” is required: a VM that runs is"
          + " not ended")
    }
    return command
  }

  /// A program by its absolute path, and its arguments.
  private func arguments() throws(PolicyValueError) -> [String] {
    let expected = PolicyValueError(
      "an array of tables whose run and undo are a program's absolute path and its arguments, such"
        + " as [\"/usr/local/sbin/x\", \"on\"]")
    guard case .array(let values) = self, (1...100).contains(values.count) else { throw expected }
    var words: [String] = []
    for value in values {
      guard case .string(let word) = value, !word.utf8.contains(0), word.utf8.count <= 4096 else {
        throw expected
      }
      words.append(word)
    }
    let parts = words[0].fields(at: "/", keepingEmpty: true)
    guard parts.count > 1, parts[0].isEmpty, let name = parts.last, !name.isEmpty,
      !parts.contains(where: { $0 == "." || $0 == ".." }),
      words[0].utf8.allSatisfy({ (33...126).contains($0) })
    else { throw expected }
    return words
  }

  private func texts(_ expected: PolicyValueError) throws(PolicyValueError) -> [String] {
    guard case .array(let values) = self, values.count <= 50 else { throw expected }
    var texts: [String] = []
    for value in values {
      guard case .string(let text) = value, !text.isEmpty, !text.utf8.contains(0) else {
        throw expected
      }
      texts.append(text)
    }
    return texts
  }
}
