/// One of the kernel's attributes, as it stands before anything is planned.
package struct AttributeFacts: Hashable, Sendable {
  /// The path that was asked for.
  package var asked: String
  /// The same place without links on the way; nil where there is none.
  package var path: String?
  /// What it holds, without white space at its ends; nil where it cannot be read.
  package var text: String?

  package init(asked: String, path: String?, text: String?) {
    self.asked = asked
    self.path = path
    self.text = text
  }
}
