import HostModel

extension StatusReport {
  /// What the importance of each list is where not all of them fit.
  private enum Importance {
    static let settings = 0
    static let guards = 1
    static let errors = 2
    static let holders = 3
    static let notes = 4
  }

  /// The report in so many lines, what matters least folded away; all of it for nil.
  ///
  /// Where it is verbose, each setting has a line of its own.
  func lines(height: Int? = nil, isVerbose: Bool) -> [Text] {
    var fold = Fold()
    fold.append(summary)
    fold.append(
      Fold.Section(rows: notes, importance: Importance.notes) { shown in
        Text("and \(notes.count - shown) more that failed", .red)
      })
    if !holders.isEmpty {
      let rows = holderRows
      fold.append(
        Fold.Section(rows: rows, importance: Importance.holders) { shown in
          Text("and \(rows.count - shown) more VMs", .faint)
        })
    }
    fold.append(settingSection(isVerbose: isVerbose))
    let kept = settings.count { $0.isKept }
    if kept > 0 {
      fold.append(Text("and the CPUs of \(kept) tasks, restored afterwards", .faint))
    }
    if let limits, !limits.areStandard { fold.append(Text(limits.sentence, .faint)) }
    fold.append(guardSection)
    fold.append(errorSection)
    for remark in remarks { fold.append(Text(remark, .yellow)) }
    return fold.lines(height: height)
  }

  /// What there is to know first.
  private var summary: Text {
    if holders.isEmpty, settings.isEmpty {
      return damaged.isEmpty
        ? "no VM holds anything; the host is in its original state"
        : Text("no VM is known to hold anything", .yellow)
    }
    let failed = settings.count { $0.verdict != nil }
    let foreign = settings.count { $0.verdict == nil && $0.isForeign }
    let lost = settings.count { $0.verdict == nil && $0.kernelChange != nil }
    let pending = settings.count { !$0.isAsWanted } - failed - foreign - lost
    var parts: [Text] = []
    if failed > 0 { parts.append(Text("\(failed) failed", .red)) }
    if foreign > 0 { parts.append(Text("\(foreign) changed outside Berth", .yellow)) }
    if lost > 0 { parts.append(Text("\(lost) changed by the kernel", .red)) }
    if pending > 0 { parts.append(Text("\(pending) drifted", .red)) }
    guard let first = parts.first else {
      let all = settings.count == 1 ? "the only setting is" : "all \(settings.count) settings are"
      return Text("\(all) in place", .green)
    }
    let joined = parts.dropFirst().reduce(first) { $0 + ", " + $1 }
    return Text("of \(counted(settings.count, "setting")): ", .faint) + joined
  }

  /// What went wrong, a line for each.
  private var notes: [Text] {
    settings.compactMap { setting in
      setting.verdict.map { Text("failed: ", .red) + Text("\(setting.title): \($0)") }
    }
      + kernelNotes
      + damaged.map {
        Text("damaged: ", .red)
          + Text("\($0) could not be read; what it names was not given back")
      }
  }

  /// What the kernel has done by itself, a line for all of a kind.
  private var kernelNotes: [Text] {
    var notes: [(sentence: String, titles: [String])] = []
    for setting in settings where setting.verdict == nil {
      guard let sentence = setting.kernelChange else { continue }
      if let index = notes.firstIndex(where: { $0.sentence == sentence }) {
        notes[index].titles.append(setting.title)
      } else {
        notes.append((sentence, [setting.title]))
      }
    }
    return notes.map { note in
      let more = note.titles.count - 1
      let title = note.titles[0] + (more > 0 ? " and \(more) more" : "")
      return Text("changed: ", .red)
        + Text("\(title): \(note.sentence); `berth reconcile` restores it")
    }
  }

  private var holderRows: [Text] {
    var table = Table()
    for holder in holders {
      table.append(
        Text(name: holder.name, .bold), Text(holder.id),
        Text(holder.pid.map { "QEMU \($0)" } ?? "not running yet"),
        Text(holder.vcpuCPUs.isEmpty ? "" : "vCPUs on \(holder.vcpuCPUs)"))
    }
    return table.lines()
      + holders.flatMap { holder in holder.goals.flatMap { $0.lines(of: holder.name) } }
  }

  /// The settings, those first that are not in place.
  private func settingSection(isVerbose: Bool) -> Fold.Section {
    let shown = settings.filter { !$0.isKept }
    let groups =
      shown.filter { !$0.isAsWanted }.map { (family: nil, rows: [$0]) }
      + (isVerbose
        ? shown.filter(\.isAsWanted).map { (family: nil, rows: [$0]) }
        : rowsByFamily(shown.filter(\.isAsWanted), family: \.family, key: \.holders))
    var table = Table()
    table.append("SETTING", "ORIGINAL", "WANTED", "NOW", "VM")
    for group in groups { table.append(group.rows, as: group.family) }
    let lines = table.lines()
    return Fold.Section(
      heading: ["", lines[0]], rows: Array(lines.dropFirst()), importance: Importance.settings
    ) { count in
      let hidden = groups.dropFirst(count).flatMap(\.rows)
      let wrong = hidden.count { !$0.isAsWanted }
      let settings = "and \(counted(hidden.count, "more setting"))"
      return wrong == 0
        ? Text("\(settings), \(hidden.count == 1 ? "" : "all ")in place", .faint)
        : Text("\(settings), \(wrong) of them not in place", .red)
    }
  }

  private var guardSection: Fold.Section {
    var table = Table()
    for unit in guards ?? [] {
      let state =
        unit.hasFailed ? Text("failed", .red) : Text("waits \(unit.awaited ?? "for nothing")")
      table.append(Text(unit.unit), state, Text(unit.purpose, .faint))
    }
    let rows = table.lines()
    return Fold.Section(
      heading: ["", "GUARDS"], rows: rows, importance: Importance.guards
    ) { shown in Text("and \(rows.count - shown) more units", .faint) }
  }

  private var errorSection: Fold.Section {
    let rows = (errors ?? []).map { complaint in
      Text(complaint.localTime, .faint) + "  "
        + Text(complaint.isError ? "error " : "warning ", complaint.isError ? .red : .yellow)
        + Text(name: complaint.domain.map { "\($0): " } ?? "") + Text(complaint.sentence)
        + Text(complaint.count > 1 ? " (\(complaint.count) times)" : "", .faint)
    }
    return Fold.Section(
      heading: ["", "LAST WARNINGS AND ERRORS"], rows: rows, importance: Importance.errors
    ) { shown in Text("and \(rows.count - shown) more; journalctl -t berth -b has all", .faint) }
  }
}

extension Table {
  /// A row for settings, all of which are of the family, or the only one.
  fileprivate mutating func append(
    _ settings: [StatusReport.SettingStatus], as family: SettingFamily?
  ) {
    guard let setting = settings.first else { return }
    let holders = setting.holders.joined(separator: ", ")
    let vm = Text(name: holders.isEmpty ? "none, being restored" : holders)
    guard let family else {
      append(
        Text(setting.title), Text(setting.original), Text(setting.wanted ?? "?"),
        setting.actualText, vm)
      return
    }
    append(
      Text("\(family.title): \(settings.count) settings"), Text(shared(settings, \.original)),
      Text(shared(settings) { $0.wanted ?? "?" }), Text(shared(settings) { $0.actual ?? "?" }), vm)
  }
}

extension StatusReport.GoalStatus {
  /// What is reached, and why not more.
  fileprivate func lines(of name: String) -> [Text] {
    let state = reached.map { Text($0, missed.isEmpty ? .green : .yellow) } ?? Text("none", .red)
    return [Text(name: "\(goal) of \(name): ") + state]
      + missed.map { Text("  no \($0.way): \($0.reason)", .faint) }
  }
}

extension StatusReport.SettingStatus {
  fileprivate var actualText: Text {
    guard let actual else { return isCollective ? "each of them" : "gone" }
    if kernelChange != nil { return Text("\(actual) (changed by the kernel)", .red) }
    if isForeign, actual == original {
      return Text("\(actual) (restored outside Berth)", .yellow)
    }
    if isForeign { return Text("\(actual) (changed outside Berth)", .yellow) }
    return Text(actual, actual == wanted ? nil : .red)
  }
}
