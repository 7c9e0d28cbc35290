internal import Bytes
import HostModel
internal import Ledger

/// What the phases of a domain's life would do to the host.
struct PlanReport: Encodable {
  var domain: String
  var id: String?
  /// Whether it runs, is prepared, or neither.
  var state: State
  /// How many settings it holds by now, which its next start finds given back.
  var held: Int
  /// Whether the domain would not be let in.
  var isRefused = false
  var phases: [PhasePlan] = []

  /// What a domain is to Berth before the start that is planned.
  enum State: String, Encodable {
    case off, prepared, running
  }

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
    /// What many of its kind are counted as; missing for one that stands by itself.
    var family: SettingFamily?
    var from: String?
    var to: String?
    var reason: String
    var required: Bool
    /// Why the change would not be made.
    var objection: String?
    /// What other domains that are in want of the setting.
    var heldBy: [OtherHolder]
  }

  struct OtherHolder: Encodable {
    var domain: String
    var claim: String
    var reason: String
  }
}

extension PlanReport {
  /// A plan that begins beside what the domain holds by now, if anything.
  init(_ domain: Domain, _ standing: (state: State, held: Int) = (.off, 0)) {
    self.init(
      domain: domain.name, id: domain.id, state: standing.state, held: standing.held)
  }

  /// Adds a phase, and after the first one that may refuse whether it would.
  mutating func append(_ phase: PhasePlan, mayRefuse: Bool) {
    phases.append(phase)
    if mayRefuse, !phase.refusals.isEmpty { isRefused = true }
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
    warnings = plan.warnings + plan.doubts
    notes = plan.notes
    refusals = plan.refusals.map(\.description)
    for preview in previews where preview.change.isRequired {
      if let objection = preview.objection { refusals.append(objection) }
    }
  }

  /// What is given back at the end of a domain's life, of which nothing else is changed.
  init(release returns: [PreviewedReturn], under hypervisor: Hypervisor) {
    phase = Phase.release.name(under: hypervisor)
    steps = []
    let tasks = returns.count { $0.isTask }
    changes = returns.filter { !$0.isTask && !($0.from == $0.to && $0.others.isEmpty) }
      .map(PlanReport.PlannedChange.init)
    warnings = returns.filter(\.isForeign).map {
      "\($0.setting.title) was changed outside Berth and is left alone"
    }
    notes = tasks == 0 ? [] : ["\(tasks) tasks get their CPUs restored"]
    refusals = []
  }
}

extension PlanReport.PlannedStep {
  init(_ event: PoolEvent) {
    let size = PageSize(kiB: event.pageKiB)
    switch event.kind {
    case .kept:
      step = "leave pages of \(size) to Proxmox"
      reason = "Proxmox keeps them for the next start (keephugepages)"
    case .reset:
      step = "correct the pools of \(size) after Proxmox's reset"
      reason = "Proxmox resets them once QEMU runs"
    }
  }
}

extension PlanReport.PlannedChange {
  init(_ preview: PreviewedChange) {
    setting = "\(preview.change.setting)"
    title = preview.change.setting.title
    family = preview.change.setting.family
    from = preview.from.map { "\($0)" }
    to = preview.to.map { "\($0)" } ?? "\(preview.change.claim)"
    reason = preview.change.reason
    required = preview.change.isRequired
    objection = preview.objection
    heldBy = preview.others.map(PlanReport.OtherHolder.init)
  }

  init(_ returned: PreviewedReturn) {
    setting = "\(returned.setting)"
    title = returned.setting.title
    family = returned.setting.family
    from = returned.from.map { "\($0)" }
    to = returned.to.map { "\($0)" }
    required = false
    heldBy = returned.others.map(PlanReport.OtherHolder.init)
    if returned.isForeign {
      reason = "left alone"
    } else if heldBy.isEmpty {
      reason = "restored"
    } else {
      reason = "as claimed by \(heldBy.map(\.domain).joined(separator: ", "))"
    }
  }
}

extension PlanReport.OtherHolder {
  init(_ other: OtherClaim) {
    domain = other.domain
    claim = "\(other.claim)"
    reason = other.reason
  }
}

extension PreviewedReturn {
  /// Whether it is the CPUs of one of the host's tasks, of which there may be hundreds.
  fileprivate var isTask: Bool {
    if case .affinity(let thread) = setting { thread.role == .foreign } else { false }
  }
}

extension PlanReport {
  /// The report, its tables no wider than a window if there is one.
  ///
  /// Where it is verbose, each setting has a line of its own.
  func lines(isVerbose: Bool, columns: Int?) -> [Text] {
    let refusal: [Text] = isRefused ? [Text("the start would be refused", .red)] : []
    let isShort = !isVerbose && phases.contains { $0.groups.contains { $0.family != nil } }
    return [Text(name: domain, .bold) + Text(id.map { "  \($0)" } ?? "")] + standing + refusal
      + phases.flatMap { $0.lines(isVerbose: isVerbose, columns: columns) }
      + (isShort ? ["", Text("-v shows each setting", .faint)] : [])
  }
}

extension PlanReport {
  private var standing: [Text] {
    let settings = held == 1 ? "1 setting" : "\(held) settings"
    switch state {
    case .off: return []
    case .prepared:
      return [
        Text(
          "prepared and not running: the next start first restores the \(settings) that it holds",
          .faint)
      ]
    case .running:
      return [
        Text("running, with \(settings) held: this is its next start, after it has stopped", .faint)
      ]
    }
  }
}

extension PlanReport.PhasePlan {
  fileprivate var groups: [(family: SettingFamily?, rows: [PlanReport.PlannedChange])] {
    rowsByFamily(changes, family: { $0.objection == nil ? $0.family : nil }, key: { _ in 0 })
  }

  fileprivate func lines(isVerbose: Bool, columns: Int?) -> [Text] {
    var lines: [Text] = ["", Text(phase, .bold)]
    if steps.isEmpty, changes.isEmpty { lines.append("  changes nothing") }
    var table = Table()
    for step in steps { table.append(Text(step.step), "", Text(step.reason, .faint)) }
    for group in isVerbose ? changes.map({ (nil, [$0]) }) : groups {
      guard let family = group.family else {
        for change in group.rows {
          table.append(Text(change.title), Text(change.effect), change.comment)
        }
        continue
      }
      let reason = shared(group.rows, \.reason)
      table.append(
        Text("\(family.title): \(group.rows.count) settings"), Text(shared(group.rows, \.effect)),
        Text(reason.ends(with: "…") ? family.purpose : reason, .faint))
    }
    lines += table.lines(indent: 2, width: columns)
    lines += warnings.map { Text("  warning: ", .yellow) + Text($0) }
    lines += notes.map { Text("  note: ", .faint) + Text($0) }
    lines += refusals.map { Text("  refused: ", .red) + Text($0) }
    return lines
  }
}

extension PlanReport.PlannedChange {
  fileprivate var effect: String {
    guard let to else { return "" }
    guard let from else { return "→ \(to)" }
    return from == to ? "stays \(to)" : "\(from) → \(to)"
  }

  var comment: Text {
    guard let objection else { return Text(reason, .faint) }
    if heldBy.isEmpty { return Text("not done: \(objection)", .red) }
    let claims = heldBy.map { "\($0.domain) holds it at “\($0.claim)”" }
    return Text("not done: \(claims.joined(separator: ", "))", .red)
  }
}
