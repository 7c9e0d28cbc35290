internal import Formats
internal import HostModel

/// Whether a policy file is right.
struct PolicyReport: Encodable {
  var file: String
  /// Each with the file, the line and the value.
  var errors: [String]
  /// What is no error and may be a mistake, each with the file and the line.
  var warnings: [String]

  init(_ policy: PolicyFile, on hypervisor: Hypervisor) {
    file = policy.name
    errors = policy.problems.map { "\($0)" }
    warnings = policy.cautions(on: hypervisor)
  }

  var lines: [Text] {
    let cautions = warnings.map { Text("warning: ", .yellow) + Text($0) }
    if !errors.isEmpty { return errors.map { Text($0, .red) } + cautions }
    return cautions
      + [Text(file.isEmpty ? "there is no policy file, and none is needed" : "\(file): OK")]
  }
}
