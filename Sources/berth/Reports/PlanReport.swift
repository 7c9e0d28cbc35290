internal import HostModel
internal import Ledger

/// What the phases of a domain's life would do to the host.
struct PlanReport: Encodable {
  var domain: String
  var id: String?
  var phases: [PhasePlan]

  struct PhasePlan: Encodable {
    var phase: String
    var steps: [PlannedStep]
    var changes: [PlannedChange]
    var warnings: [String]
    var notes: [String]
    var refusals: [String]
  }

  struct PlannedStep: Encodable {
    var step: String
    var reason: String
  }

  struct PlannedChange: Encodable {
    var setting: String
    /// The setting's name for people.
    var title: String
    var from: String?
    var to: String?
    var reason: String
    var required: Bool
    var objection: String?
  }
}

extension PlanReport.PhasePlan {
  init(_ plan: Plan, _ previews: [PreviewedChange], under hypervisor: Hypervisor) {
    phase = plan.phase.name(under: hypervisor)
    steps = plan.steps.map { PlanReport.PlannedStep(step: "\($0.step)", reason: $0.reason) }
    steps += plan.cycles.map { cycle in
      PlanReport.PlannedStep(
        step: "\(cycle.setting): \(cycle.claim), and back at once", reason: cycle.reason)
    }
    steps += plan.poolEvents.map(PlanReport.PlannedStep.init)
    // What a step changes has its line already; its claim only puts that back.
    let done = plan.steps.compactMap { planned -> Setting? in
      if case .once(let setting, _) = planned.step { setting } else { nil }
    }
    changes = previews.filter { !done.contains($0.change.setting) }
      .map(PlanReport.PlannedChange.init)
    warnings = plan.warnings
    notes = plan.notes
    refusals = plan.refusals.map(\.description)
  }
}

extension PlanReport.PlannedStep {
  init(_ event: PoolEvent) {
    let size = PageSize(kiB: event.pageKiB)
    switch event.kind {
    case .kept:
      step = "leave pages of \(size) to Proxmox"
      reason = "it keeps them for the next start (keephugepages)"
    case .reset:
      step = "set the pools of \(size) right again"
      reason = "Proxmox sets them back once QEMU runs"
    }
  }
}

extension PlanReport.PlannedChange {
  init(_ preview: PreviewedChange) {
    setting = "\(preview.change.setting)"
    title = preview.change.setting.title
    from = preview.from.map { "\($0)" }
    to = preview.to.map { "\($0)" } ?? "\(preview.change.claim)"
    reason = preview.change.reason
    required = preview.change.isRequired
    objection = preview.objection
  }
}

extension PlanReport {
  var lines: [Text] {
    [Text(domain, .bold) + Text(id.map { "  \($0)" } ?? "")] + phases.flatMap(\.lines)
  }
}

extension PlanReport.PhasePlan {
  var lines: [Text] {
    var lines: [Text] = ["", Text(phase, .bold)]
    if steps.isEmpty, changes.isEmpty { lines.append("  changes nothing") }
    var table = Table()
    for step in steps { table.append(Text(step.step), "", Text(step.reason, .faint)) }
    for change in changes { table.append(Text(change.title), change.effect, change.comment) }
    lines += table.lines(indent: 2)
    lines += warnings.map { Text("  warning: ", .yellow) + Text($0) }
    lines += notes.map { Text("  note: ", .faint) + Text($0) }
    lines += refusals.map { Text("  refused: ", .red) + Text($0) }
    return lines
  }
}

extension PlanReport.PlannedChange {
  var effect: Text {
    guard let to else { return "" }
    guard let from else { return "→ \(to)" }
    return from == to ? "stays \(to)" : "\(from) → \(to)"
  }

  var comment: Text {
    if let objection { return Text("not done: \(objection)", .red) }
    return Text(reason, .faint)
  }
}
