/// What is wrong in a file of Proxmox's, and where.
package struct ProxmoxProblem: Error, Hashable, Sendable {
  package var file: String
  /// Counted from 1.
  package var line: Int
  /// What stands there, where it is a value that means nothing.
  package var value: String?
  package var sentence: String

  package init(file: String, line: Int, value: String? = nil, _ sentence: String) {
    self.file = file
    self.line = line
    self.value = value
    self.sentence = sentence
  }
}

extension ProxmoxProblem: CustomStringConvertible {
  package var description: String { "\(file):\(line): \(sentence)" }
}

/// What a key takes instead of the value that it was given.
struct ProxmoxValueError: Error, Equatable {
  var expected: String

  init(_ expected: String) { self.expected = expected }
}
