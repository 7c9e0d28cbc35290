/// Something about a host, or a domain on it, that somebody should know.
package struct Finding: Hashable, Sendable {
  package enum Severity: Int, Hashable, Sendable, Comparable, CaseIterable {
    /// Worth knowing; nothing is wrong.
    case note
    /// Costs a domain some of what it asks for.
    case warning
    /// Something does not work at all.
    case error

    package static func < (left: Severity, right: Severity) -> Bool {
      left.rawValue < right.rawValue
    }
  }

  package var severity: Severity
  /// What is found, as a sentence without a full stop.
  package var title: String
  /// What it is seen by: places of the host and what stands there.
  package var evidence: [Evidence]
  /// What comes of it.
  package var consequence: String
  /// The line to change, or the command to run, that puts it right.
  package var fix: String
  /// The name of the check that found it.
  package var check = ""
  /// The domain that it is about; nil for the host.
  package var domain: String?

  package init(
    _ severity: Severity, _ title: String, evidence: [Evidence], consequence: String, fix: String
  ) {
    self.severity = severity
    self.title = title
    self.evidence = evidence
    self.consequence = consequence
    self.fix = fix
  }
}

/// A place and what was read there.
package struct Evidence: Hashable, Sendable {
  /// A file, with the part of it where it has several.
  package var place: String
  package var value: String

  package init(_ place: String, _ value: String) {
    self.place = place
    self.value = value
  }
}
