internal import Bytes
package import HostModel
package import Port

/// Units that start and stop on a recorded host.
///
/// Each is a file in `recorded/units`: `ActiveState=` in its first line, and for one that was made at
/// run time the words that undo it and the unit that it is bound to. A link there is an alias. The
/// commands of a service are not run but written to `recorded/runs`, a line for each.
extension RecordedSystemd {
  private static let folder: HostPath = "/recorded/units"
  private static let runs: HostPath = "/recorded/runs"

  package func state(of unit: String, until deadline: Deadline) throws(HostError) -> UnitState {
    try waitIfMute(unit, "ActiveState=", until: deadline)
    return try state(of: unit)
  }

  private func state(of unit: String) throws(HostError) -> UnitState {
    if unit.ends(with: ".scope") {
      let isThere = hasGroup(unit)
      return UnitState(
        load: isThere ? "loaded" : "not-found", active: isThere ? "active" : "inactive")
    }
    let lines = try lines(of: unit)
    guard let active = lines.first else { return UnitState(load: "not-found", active: "inactive") }
    if let bound = lines.value(of: "bound"), !hasGroup(bound) {
      try tree.remove(path(of: unit))
      return UnitState(load: "not-found", active: "inactive")
    }
    return UnitState(load: "loaded", active: active)
  }

  package func service(
    named name: String, until deadline: Deadline
  ) throws(HostError) -> ServiceFacts {
    try waitIfMute(name, "LoadUnit", until: deadline)
    var facts = ServiceFacts(asked: name)
    guard tree.exists(path(of: name)) else { return facts }
    let unit = try tree.resolved(path(of: name), for: .read).name
    let limits = try RecordedLimits(of: tree)
    facts.unit = unit
    facts.isActive = try state(of: unit).isActive
    facts.isTransient = limits.value("transient", of: unit) != nil
    for dependent in limits.values("required-by", of: unit) {
      if try state(of: dependent).isActive { facts.dependents.append(dependent) }
    }
    return facts
  }

  package func start(_ unit: String, until deadline: Deadline) throws(HostError) {
    try waitIfMute(unit, "StartUnit", until: deadline)
    guard try state(of: unit).exists else { throw missing(unit) }
    // A start that is still under way is waited for.
    try pass(unit, by: "activating", to: "active", failing: "failed", "StartUnit")
  }

  package func stop(_ unit: String, until deadline: Deadline) throws(HostError) {
    try waitIfMute(unit, "StopUnit", until: deadline)
    let lines = try lines(of: unit)
    guard !lines.isEmpty else { throw missing(unit) }
    guard lines.contains(where: { $0 == "own" }) else {
      return try pass(unit, by: "deactivating", to: "inactive", failing: lines[0], "StopUnit")
    }
    try undo(unit, lines)
  }

  package func stopUnit(_ unit: String, until deadline: Deadline) throws(HostError) {
    try waitIfMute(unit, "StopUnit", until: deadline)
    do throws(HostError) {
      try stop(unit, until: deadline)
    } catch  where ErrorNumber(error.errno) == .timedOut {
      // Nobody waits for it.
    }
  }

  package func startTransientUnit(
    _ unit: TransientUnit, until deadline: Deadline
  ) throws(HostError) {
    try waitIfMute(unit.name, "StartTransientUnit", until: deadline)
    if try !lines(of: unit.name).isEmpty {
      throw HostError(.call, unit.name, errno: ErrorNumber.exists.number)
    }
    for scope in unit.bindsTo where !hasGroup(scope) { throw missing(scope) }
    let limits = try RecordedLimits(of: tree)
    let program = unit.start.first?.program ?? ""
    let isHanging = limits.value("hangs", of: program) != nil
    var lines = [isHanging ? "activating" : "active", "own"]
    lines += unit.bindsTo.map { "bound \($0)" }
    lines += unit.stopPost.map { "undo \($0.line)" }
    try tree.create(lines.map { $0 + "\n" }.joined(), at: path(of: unit.name))
    for command in unit.start { try note(command.line) }
    if isHanging { throw HostError(.call, unit.name, errno: ErrorNumber.timedOut.number) }
    if limits.value("refuses", of: program) != nil, unit.start.first?.ignoresFailure == false {
      try undo(unit.name, lines)
      throw HostError(
        .call, unit.name, errno: ErrorNumber.inputOutput.number, diagnosis: "it ended as “failed”")
    }
  }

  private func pass(
    _ unit: String, by passing: String, to end: String, failing: String, _ call: String
  ) throws(HostError) {
    let limits = try RecordedLimits(of: tree)
    let name = try tree.resolved(path(of: unit), for: .read).name
    if limits.value("hangs", of: name) != nil {
      try tree.create(passing + "\n", at: path(of: unit))
      throw HostError(
        .call, unit, value: call, errno: ErrorNumber.timedOut.number,
        diagnosis: "systemd goes on with it")
    }
    if limits.value("refuses", of: name) != nil {
      try tree.create(failing + "\n", at: path(of: unit))
      throw HostError(
        .call, unit, value: call, errno: ErrorNumber.inputOutput.number,
        diagnosis: "it ended as “failed”")
    }
    try tree.create(end + "\n", at: path(of: unit))
  }

  /// Ends a unit that was made at run time, with what it does then.
  private func undo(_ unit: String, _ lines: [String]) throws(HostError) {
    let limits = try RecordedLimits(of: tree)
    for command in lines.compactMap({ $0.rest(after: "undo ") }) {
      try note(String(command))
      let program = command.fields(at: " ").first ?? ""
      if limits.value("hangs", of: String(program)) != nil {
        try tree.create("deactivating\nown\n", at: path(of: unit))
        throw HostError(.call, unit, errno: ErrorNumber.timedOut.number)
      }
    }
    try tree.remove(path(of: unit))
  }

  private func note(_ line: String) throws(HostError) {
    let runs = tree.exists(Self.runs) ? try tree.text(of: Self.runs) : ""
    try tree.create(runs + line + "\n", at: Self.runs)
  }

  private func lines(of unit: String) throws(HostError) -> [String] {
    guard tree.exists(path(of: unit)) else { return [] }
    return try tree.text(of: path(of: unit)).fields(at: "\n").map(String.init)
  }

  private func path(of unit: String) -> HostPath { "\(Self.folder)/\(unit)" }

  private func missing(_ unit: String) -> HostError {
    HostError(.call, unit, errno: ErrorNumber.notFound.number)
  }

  private func hasGroup(_ unit: String) -> Bool {
    do throws(HostError) {
      _ = try group(of: unit, for: .read)
      return true
    } catch {
      return false
    }
  }
}

extension UnitCommand {
  /// The command on one line.
  fileprivate var line: String { ([program] + arguments).joined(separator: " ") }
}

extension [String] {
  /// What stands behind a word at the front of a line.
  fileprivate func value(of word: String) -> String? {
    lazy.compactMap { $0.rest(after: word + " ") }.first.map(String.init)
  }
}
