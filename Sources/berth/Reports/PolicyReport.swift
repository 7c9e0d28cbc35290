internal import Formats
internal import HostModel

/// Whether a policy file is right.
struct PolicyReport: Encodable {
  var file: String
  var errors: [Problem]
  /// What is no error and may be a mistake.
  var warnings: [Problem]

  /// One thing, and where it stands.
  struct Problem: Encodable {
    var file: String
    /// Counted from 1, as is the column.
    var line: Int
    @Nullable var column: Int?
    var sentence: String
  }

  init(_ policy: PolicyFile, warnings: [PolicyProblem]) {
    file = policy.name
    errors = Self.sorted(policy.problems)
    self.warnings = Self.sorted(warnings)
  }

  private static func sorted(_ problems: [PolicyProblem]) -> [Problem] {
    problems.map(Problem.init).sorted {
      ($0.file, $0.line, $0.column ?? 0) < ($1.file, $1.line, $1.column ?? 0)
    }
  }

  var lines: [Text] {
    let cautions = warnings.map { Text("warning: ", .yellow) + Text("\($0)") }
    if !errors.isEmpty { return errors.map { Text("\($0)", .red) } + cautions }
    return cautions
      + [Text(file.isEmpty ? "there is no policy file, and none is needed" : "\(file): OK")]
  }
}

extension PolicyReport.Problem: CustomStringConvertible {
  init(_ problem: PolicyProblem) {
    self.init(
      file: problem.file, line: problem.line, column: problem.column, sentence: problem.sentence)
  }

  var description: String { "\(file):\(line):\(column.map { "\($0):" } ?? "") \(sentence)" }
}
