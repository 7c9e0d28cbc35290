/// Whether it helped: one observation of a VM beside a later one.
struct ComparisonReport: Encodable {
  var before: String
  var after: String
  var figures: [Figure]
  /// Why the two can hardly be compared; empty where they can.
  var doubts: [String]

  struct Figure: Encodable {
    var name: String
    var unit: String
    var before: Double
    var after: Double
    /// Whether less is better; of the load itself neither is.
    var isCost: Bool
  }

  init(_ before: ObservationReport, _ after: ObservationReport) {
    self.before = before.domain
    self.after = after.domain
    figures = [
      Figure("a vCPU runs", "% of the time", before, after, isCost: false, \.runningOfVCPUs),
      Figure("waits, when it wants a CPU", "%", before, after, \.waitingOfVCPUs),
      Figure("loses its CPU", "times a second", before, after, \.preemptionsOfVCPUs),
      Figure("changes its CPU", "times a second", before, after, \.migrationsOfVCPUs),
      Figure("hears devices", "times a second", before, after, \.deviceInterruptsOfVCPUs),
      Figure("hears the timer", "times a second", before, after, \.timerInterruptsOfVCPUs),
    ]
    doubts = []
    let load = (before.runningOfVCPUs, after.runningOfVCPUs)
    if abs(load.0 - load.1) > 0.2 * max(load.0, load.1) {
      doubts.append("the guest's load differs by more than a fifth, so the figures say little")
    }
    for (name, report) in [("first", before), ("second", after)] where report.seconds < 5 {
      doubts.append("the \(name) one lasted \(decimal(report.seconds)) s only")
    }
    let counts = (before.threads.count(where: \.isVCPU), after.threads.count(where: \.isVCPU))
    if counts.0 != counts.1 { doubts.append("\(counts.0) vCPUs before, \(counts.1) after") }
  }
}

extension ComparisonReport.Figure {
  fileprivate init(
    _ name: String, _ unit: String, _ before: ObservationReport, _ after: ObservationReport,
    isCost: Bool = true, _ value: KeyPath<ObservationReport, Double>
  ) {
    self.init(
      name: name, unit: unit, before: before[keyPath: value], after: after[keyPath: value],
      isCost: isCost)
  }

  /// Nil where both are too small to differ.
  var verdict: String? {
    guard isCost, max(before, after) >= 0.05 else { return nil }
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
      let isWorse = figure.isCost && figure.after > figure.before * 1.1
      let isBetter = figure.isCost && figure.after < figure.before * 0.9
      table.append(
        Text("\(figure.name), \(figure.unit)"), Text(decimal(figure.before)),
        Text(decimal(figure.after)),
        Text(figure.verdict ?? "", isWorse ? .red : isBetter ? .green : nil))
    }
    return [Text("what the average vCPU of \(after) got", .bold)] + table.lines(indent: 2)
      + doubts.map { Text($0, .yellow) }
  }
}
