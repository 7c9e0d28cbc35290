package import Bytes
package import HostModel

/// One thing that is wrong in a policy file.
package struct PolicyProblem: Hashable, Sendable {
  package var file: String
  /// Counted from 1.
  package var line: Int
  /// Counted from 1, where the key begins; nil for what is wrong with a section as a whole.
  package var column: Int?
  package var sentence: String
  /// Whom it concerns.
  package var scope: PolicyScope

  package init(
    file: String, line: Int, column: Int? = nil, sentence: String, scope: PolicyScope
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.sentence = sentence
    self.scope = scope
  }
}

extension PolicyProblem {
  /// A text that is not TOML.
  init(file: String, _ error: TOMLError) {
    self.init(
      file: file, line: error.place.line, column: error.place.column, sentence: error.sentence,
      scope: .file)
  }
}

extension PolicyProblem: CustomStringConvertible {
  package var description: String {
    "\(file):\(line):\(column.map { "\($0):" } ?? "") \(sentence)"
  }
}

/// The part of a policy file that a problem spoils.
package enum PolicyScope: Hashable, Sendable {
  /// All of it: it cannot be read as TOML, or has an error in what it says of all VMs together.
  case file
  case defaults
  case profile(ExactText)
  case vm(ExactText)
}

/// Where a policy says something.
package struct PolicyPlace: Hashable, Sendable {
  package var file: String
  /// Counted from 1.
  package var line: Int
  var column: Int
  var scope: PolicyScope
  /// The section for all VMs together, such as `limits`; nil for one of another kind.
  var table: String?

  init(file: String, _ place: TOMLPlace, scope: PolicyScope, table: String? = nil) {
    self.file = file
    line = place.line
    column = place.column
    self.scope = scope
    self.table = table
  }

  var place: TOMLPlace { TOMLPlace(line: line, column: column) }

  /// The header of the section, such as `[defaults]`.
  package var section: String {
    switch scope {
    case .file: "[\(table ?? "")]"
    case .defaults: "[defaults]"
    case .profile(let name): "[profile.\"\(name.text)\"]"
    case .vm(let name): "[vm.\"\(name.text)\"]"
    }
  }
}

/// What keeps a domain's policy from being known.
package struct PolicyError: Error, Hashable, Sendable {
  /// At least one.
  package var problems: [PolicyProblem]
  /// Whether a section of the file is for this domain.
  ///
  /// The administrator then wants something of Berth for it that is not known: it should not start
  /// without. A domain that the file does not name runs without Berth.
  package var isNamed: Bool
}

extension PolicyError: CustomStringConvertible {
  package var description: String {
    let first = problems.first.map { "\($0)" } ?? "the policy cannot be read"
    return problems.count > 1 ? "\(first) (and \(problems.count - 1) more)" : first
  }
}

/// What a policy file, and its own metadata, say for one domain.
package struct DomainPolicy: Hashable, Sendable {
  package var value: Policy
  package var warnings: [String]
  /// What the domain's own metadata has decided, by the paths of the keys.
  var metadata: [String: PolicyValue] = [:]

  package init(value: Policy, warnings: [String]) {
    self.value = value
    self.warnings = warnings
  }
}
