internal import HostModel

/// Whether it helped: one observation of a VM beside a later one.
struct ComparisonReport: Encodable {
  var before: String
  var after: String
  var helped: Helped
  /// The answer as a sentence.
  var verdict: String
  var figures: [Figure]
  /// Those vCPUs that are in both.
  var vcpus: [VCPU]
  /// Why the two can hardly be compared; empty where they can.
  var doubts: [String]

  /// The answer in a word.
  enum Helped: String, Encodable {
    case yes
    case no
    /// Some figures are better, and some are worse.
    case mixed
    case notComparable = "not comparable"
  }

  struct Figure: Encodable {
    var name: String
    /// What is counted, as the subject of a sentence.
    var subject: String
    var unit: String
    var before: Double
    var after: Double
    /// Which of the two would be better; of the load itself neither is.
    var better: Better

    enum Better: String, Encodable {
      case less
      case more
      case neither
    }
  }

  /// One vCPU, in percent and in times a second.
  struct VCPU: Encodable {
    var name: String
    var cpusBefore: String
    var cpusAfter: String
    var waiting: Pair
    var preemptions: Pair
    var migrations: Pair?
    var deviceInterrupts: Pair?
  }

  struct Pair: Encodable {
    var before: Double
    var after: Double
  }

  init(_ before: ObservationReport, _ after: ObservationReport) {
    self.before = before.domain
    self.after = after.domain
    figures = Self.figures(before, after)
    vcpus = after.threads.filter(\.isVCPU).compactMap { now in
      before.threads.first { $0.isVCPU && $0.name == now.name }.map { VCPU($0, now) }
    }
    doubts = Self.doubts(before, after)
    (helped, verdict) = Self.answer(figures, doubts)
  }
}

extension ComparisonReport {
  private static func figures(
    _ before: ObservationReport, _ after: ObservationReport
  ) -> [Figure] {
    let rate = "times a second"
    var figures: [Figure] = [
      Figure(
        "vCPUs running", "running", "% of the time", .neither, before, after, \.runningOfVCPUs),
      Figure("vCPUs waiting for a CPU", "waiting", "%", .less, before, after, \.waitingOfVCPUs),
      Figure("preemptions", "preemptions", rate, .less, before, after, \.preemptionsOfVCPUs),
      Figure("migrations", "moves", rate, .less, before, after, \.migrationsOfVCPUs),
      Figure(
        "device interrupts", "device interrupts", rate, .less, before, after,
        \.deviceInterruptsOfVCPUs),
      // It ticks for whatever runs there: the more a vCPU runs, the more often.
      Figure(
        "timer interrupts", "timer interrupts", rate, .neither, before, after,
        \.timerInterruptsOfVCPUs),
    ].compactMap { $0 }
    if let first = before.locality, let last = after.locality {
      figures.append(
        Figure(
          name: "memory on the vCPUs' node", subject: "local memory", unit: "%",
          before: first.local, after: last.local,
          better: .more))
      if let first = first.huge, let last = last.huge {
        figures.append(
          Figure(
            name: "memory in huge pages", subject: "huge pages", unit: "%", before: first,
            after: last, better: .more))
      }
    }
    return figures
  }

  private static func doubts(
    _ before: ObservationReport, _ after: ObservationReport
  ) -> [String] {
    var doubts: [String] = []
    // A vCPU that waits less runs more of the same load, or is done with it sooner.
    let loads = [\ObservationReport.runningOfVCPUs, \.wantedOfVCPUs].map {
      (before[keyPath: $0], after[keyPath: $0])
    }
    if loads.allSatisfy({ abs($0.0 - $0.1) > 0.2 * max($0.0, $0.1) }) {
      doubts.append("the guest's load differs by more than a fifth, so the figures say little")
    }
    for (name, report) in [("first", before), ("second", after)] where report.seconds < 5 {
      doubts.append("the \(name) one lasted \(decimal(report.seconds)) s only")
    }
    let counts = (before.threads.count(where: \.isVCPU), after.threads.count(where: \.isVCPU))
    if counts.0 != counts.1 { doubts.append("\(counts.0) vCPUs before, \(counts.1) after") }
    return doubts
  }

  private static func answer(_ figures: [Figure], _ doubts: [String]) -> (Helped, String) {
    guard doubts.isEmpty else {
      return (.notComparable, "not comparable: \(doubts.joined(separator: "; "))")
    }
    let better = figures.filter { $0.change == .better }
    let worse = figures.filter { $0.change == .worse }
    func list(_ figures: [Figure]) -> String {
      figures.map { "\($0.subject) \($0.verdict ?? "")" }.joined(separator: ", ")
    }
    switch (better.isEmpty, worse.isEmpty) {
    case (false, true): return (.yes, "yes, it helped: \(list(better))")
    case (true, false): return (.no, "no, it got worse: \(list(worse))")
    case (false, false):
      return (.mixed, "mixed: \(list(better)), but \(list(worse))")
    case (true, true): return (.no, "no: nothing differs by more than a tenth")
    }
  }
}

extension ComparisonReport.VCPU {
  fileprivate init(_ before: ObservationReport.Thread, _ after: ObservationReport.Thread) {
    func pair(_ value: (ObservationReport.Thread) -> Double?) -> ComparisonReport.Pair? {
      guard let first = value(before), let last = value(after) else { return nil }
      return ComparisonReport.Pair(before: first, after: last)
    }
    name = after.name
    cpusBefore = before.cpus
    cpusAfter = after.cpus
    waiting = ComparisonReport.Pair(before: before.waiting, after: after.waiting)
    preemptions = ComparisonReport.Pair(before: before.preemptions, after: after.preemptions)
    migrations = pair(\.migrations)
    deviceInterrupts = pair(\.deviceInterrupts)
  }
}

extension ComparisonReport.Figure {
  /// nil where one of the two could not be counted, such as the interrupts of a vCPU that roams.
  fileprivate init?(
    _ name: String, _ subject: String, _ unit: String, _ better: Better,
    _ before: ObservationReport,
    _ after: ObservationReport, _ value: (ObservationReport) -> Double?
  ) {
    guard let first = value(before), let last = value(after) else { return nil }
    self.init(name: name, subject: subject, unit: unit, before: first, after: last, better: better)
  }

  /// What a difference means for the VM.
  enum Change {
    case better
    case worse
    case none
  }

  /// A difference of a tenth and less is none, and what is hardly there does not differ.
  var change: Change {
    guard better != .neither, max(before, after) >= 0.05 else { return .none }
    let (less, more) = (after < before * 0.9, before < after * 0.9)
    if better == .less { return less ? .better : more ? .worse : .none }
    return more ? .better : less ? .worse : .none
  }

  /// Nil where both are too small to differ.
  var verdict: String? {
    guard better != .neither, max(before, after) >= 0.05 else { return nil }
    if after < before * 0.9 {
      return after < before / 1000 ? "gone" : "\(decimal(before / max(after, 0.0001))) times less"
    }
    if before < after * 0.9 {
      return before < after / 1000 ? "new" : "\(decimal(after / max(before, 0.0001))) times more"
    }
    return "the same"
  }
}

extension ComparisonReport {
  var lines: [Text] {
    var table = Table()
    table.append("", "before", "after", "")
    for figure in figures {
      table.append(
        Text("\(figure.name), \(figure.unit)"), Text(decimal(figure.before)),
        Text(decimal(figure.after)), Text(figure.verdict ?? "", figure.change.style))
    }
    let answer = Text("did it help? ", .bold) + Text(verdict, helped.style)
    return [
      answer, "",
      Text("what the average vCPU of ", .bold) + Text(name: after, .bold) + Text(" got", .bold),
    ]
      + table.lines(indent: 2) + vcpuLines
  }

  private var vcpuLines: [Text] {
    guard !vcpus.isEmpty else { return [] }
    var table = Table()
    table.append("", "CPUs", "waiting, %", "preemptions/s", "migrations/s", "devices/s")
    for vcpu in vcpus {
      table.append(
        Text(vcpu.name), Text(Self.arrow(vcpu.cpusBefore, vcpu.cpusAfter)),
        Text(vcpu.waiting.words), Text(vcpu.preemptions.words),
        Text(vcpu.migrations?.words ?? "-"), Text(vcpu.deviceInterrupts?.words ?? "-"))
    }
    return ["", Text("each vCPU", .bold)] + table.lines(indent: 2)
  }

  static func arrow(_ before: String, _ after: String) -> String {
    before == after ? after : "\(before) → \(after)"
  }
}

extension ComparisonReport.Pair {
  var words: String { ComparisonReport.arrow(decimal(before), decimal(after)) }
}

extension ComparisonReport.Figure.Change {
  fileprivate var style: Terminal.Style? {
    switch self {
    case .better: .green
    case .worse: .red
    case .none: nil
    }
  }
}

extension ComparisonReport.Helped {
  fileprivate var style: Terminal.Style {
    switch self {
    case .yes: .green
    case .no: .red
    case .mixed, .notComparable: .yellow
    }
  }
}
