internal import Formats

/// Whether a policy file is right.
struct PolicyReport: Encodable {
  var file: String
  /// Each with the file, the line and the value.
  var errors: [String]

  init(_ policy: PolicyFile) {
    file = policy.name
    errors = policy.problems.map { "\($0)" }
  }

  var lines: [Text] {
    if !errors.isEmpty { return errors.map { Text($0, .red) } }
    return [file.isEmpty ? "there is no policy file, and none is needed" : "\(file) is right"]
  }
}
