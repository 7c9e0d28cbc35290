internal import Findings
import HostModel

/// What was found on a host and its domains.
///
/// The names of its keys are part of what `berth doctor --json` promises.
struct DoctorReport: Encodable {
  /// The domains that were looked at.
  var domains: [String]
  /// The worst first.
  var findings: [Found]

  struct Found: Encodable {
    var severity: String
    var check: String
    @Nullable var domain: String?
    var title: String
    var evidence: [Seen]
    var consequence: String
    var fix: String
  }

  struct Seen: Encodable {
    var place: String
    var value: String
  }

  init(_ findings: [Finding], domains: [String]) {
    self.domains = domains
    self.findings = findings.map { finding in
      Found(
        severity: finding.severity.word, check: finding.check, domain: finding.domain,
        title: finding.title,
        evidence: finding.evidence.map { Seen(place: $0.place, value: $0.value) },
        consequence: finding.consequence, fix: finding.fix)
    }
  }

  /// 0 where nothing is wrong, 1 for warnings, 2 for errors.
  var exitStatus: Int32 {
    if count(.error) > 0 { return 2 }
    return count(.warning) > 0 ? 1 : 0
  }

  private func count(_ severity: Finding.Severity) -> Int {
    findings.count { $0.severity == severity.word }
  }
}

extension Finding.Severity {
  fileprivate var word: String {
    switch self {
    case .error: "error"
    case .warning: "warning"
    case .note: "note"
    }
  }
}

extension DoctorReport {
  var lines: [Text] { findings.flatMap { $0.lines + [""] } + [summary] }

  private var summary: Text {
    let subject: String
    switch domains.count {
    case 0: subject = "the host"
    case 1...3: subject = "the host, and at \(domains.joined(separator: ", "))"
    default: subject = "the host, and at \(domains.count) domains"
    }
    let counts = Finding.Severity.allCases.reversed().compactMap { severity -> String? in
      let count = count(severity)
      return count == 0 ? nil : counted(count, severity.word)
    }
    let verdict = counts.isEmpty ? "nothing found" : counts.joined(separator: ", ")
    return Text("looked at \(subject): \(verdict)", .bold)
  }
}

extension DoctorReport.Found {
  private static let indent = 9

  fileprivate var lines: [Text] {
    let style: Terminal.Style? =
      switch severity {
      case "error": .red
      case "warning": .yellow
      default: .faint
      }
    let label = severity + String(repeating: " ", count: Self.indent - severity.count)
    var lines = block(Text(label, style), title, isWrapped: true, .bold)
    for (index, seen) in evidence.enumerated() {
      lines += block(
        Text(index == 0 ? "  seen   " : Self.blank, .faint), "\(seen.place): \(seen.value)",
        isWrapped: false, .faint)
    }
    lines += block(Text("  so     ", .faint), consequence, isWrapped: true)
    // What is to be copied stays in one piece.
    return lines + block(Text("  fix    ", .faint), fix, isWrapped: false)
  }

  private static let blank = String(repeating: " ", count: indent)

  private func block(
    _ label: Text, _ words: String, isWrapped: Bool, _ style: Terminal.Style? = nil
  ) -> [Text] {
    let lines = isWrapped ? TopologyPlan.wrapped(words, indent: Self.indent) : [words]
    return lines.enumerated().map { index, line in
      (index == 0 ? label : Text(Self.blank)) + Text(line, style)
    }
  }
}
