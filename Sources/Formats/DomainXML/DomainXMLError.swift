/// Why a text is no domain's XML, or a value of it means nothing, and where.
package struct DomainXMLError: Error, Hashable, Sendable {
  /// Counted from 1, as editors do.
  package var line: Int
  /// Counted from 1, in bytes.
  package var column: Int
  /// What is wrong, with the value.
  package var sentence: String

  package init(line: Int, column: Int, _ sentence: String) {
    self.line = line
    self.column = column
    self.sentence = sentence
  }
}

extension DomainXMLError: CustomStringConvertible {
  package var description: String { "line \(line), column \(column): \(sentence)" }
}
