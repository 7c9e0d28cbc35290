internal import HostModel
internal import Ledger
internal import Live

/// Writes down what happens: each change in the journal, and progress where somebody watches.
struct Scribe {
  let journal: Journal
  let domain: String?
  let phase: String

  func record(_ event: EngineEvent) {
    switch event {
    case .changed(let setting, let from, let to, let reason):
      journal.change(
        domain: domain, phase: phase, setting: "\(setting)", before: "\(from)", after: "\(to)",
        reason: reason)
      Terminal.progress("\(setting): \(to)")
    case .performed(let step):
      Terminal.progress("\(step)")
    case .growing(let pool, let got, let wanted):
      Terminal.progress("\(Setting.hugepagePool(pool)): \(got) of \(wanted)")
    case .waiting(let phrases):
      Terminal.progress("waiting: \(phrases.joined(separator: ", "))")
    }
  }

  /// The sentences of a report, each as an entry of its own.
  func record(_ report: PhaseReport) {
    for sentence in report.warnings + report.drifts {
      journal.note(.warning, sentence, domain: domain, phase: phase)
    }
    for sentence in report.failures + report.refusals {
      journal.note(.error, sentence, domain: domain, phase: phase)
    }
  }
}
