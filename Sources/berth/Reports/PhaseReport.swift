internal import HostModel
internal import Ledger

/// What one phase, release or reconciliation did to the host.
struct PhaseReport: Encodable {
  var domain: String?
  var phase: String
  var changes: [MadeChange] = []
  var steps: [String] = []
  var warnings: [String] = []
  /// What somebody else changed and is left alone.
  var drifts: [String] = []
  /// What failed and is tried again at the next event.
  var failures: [String] = []
  /// Why the domain may not start.
  var refusals: [String] = []

  struct MadeChange: Encodable {
    var setting: String
    /// The setting's name for people.
    var title: String
    var from: String
    var to: String
    /// Missing where an original was put back.
    var reason: String?
  }

  init(domain: String?, phase: String) {
    self.domain = domain
    self.phase = phase
  }

  mutating func note(_ event: EngineEvent) {
    switch event {
    case .changed(let setting, let from, let to, let reason):
      changes.append(
        MadeChange(
          setting: "\(setting)", title: setting.title, from: "\(from)", to: "\(to)", reason: reason
        ))
    case .performed(let step): steps.append("\(step)")
    case .growing, .waiting: break
    }
  }

  mutating func note(_ outcome: Outcome) {
    warnings += outcome.warnings
    drifts += outcome.drifts
    failures += outcome.failures
  }

  var lines: [Text] {
    var table = Table()
    for step in steps { table.append(Text(step)) }
    for change in changes {
      table.append(
        Text(change.title), "\(change.from) → \(change.to)",
        Text(change.reason ?? "restored", .faint))
    }
    var lines = table.lines()
    // Where something failed, that is all there is to say.
    if lines.isEmpty, failures.isEmpty, refusals.isEmpty { lines = ["nothing to change"] }
    lines += warnings.map { Text("warning: ", .yellow) + Text($0) }
    lines += drifts.map { Text("left alone: ", .yellow) + Text($0) }
    lines += failures.map { Text("failed: ", .red) + Text($0) }
    lines += refusals.map { Text("refused: ", .red) + Text($0) }
    return lines
  }
}
