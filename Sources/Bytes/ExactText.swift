/// A text that is another one only where all bytes of both are the same.
///
/// To `String` two spellings of a letter are one: the Kelvin sign is a `K`, and an `e` with an accent is
/// so by one scalar or by two. A VM is not known by such a likeness, as its name is chosen by whoever
/// may define it.
package struct ExactText: Hashable, Sendable, Comparable {
  package let text: String

  package init(_ text: some StringProtocol) { self.text = String(text) }

  package static func == (left: ExactText, right: ExactText) -> Bool {
    left.text.isSame(as: right.text)
  }

  package static func < (left: ExactText, right: ExactText) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(text.utf8.count)
    for byte in text.utf8 { hasher.combine(byte) }
  }
}

extension StringProtocol {
  /// Whether all bytes of two texts are the same, which is less than `==` takes for it.
  @inlinable package func isSame(as other: some StringProtocol) -> Bool {
    utf8.elementsEqual(other.utf8)
  }
}
