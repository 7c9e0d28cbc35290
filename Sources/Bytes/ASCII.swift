/// One character of ASCII, such as what separates the fields of a line.
///
/// Written as a literal: `"/"`. In UTF-8 no byte of another character looks like it.
@usableFromInline
package struct ASCII: ExpressibleByUnicodeScalarLiteral, Hashable, Sendable {
  @usableFromInline package let byte: UInt8

  @inlinable package init(unicodeScalarLiteral scalar: Unicode.Scalar) {
    byte = UInt8(ascii: scalar)
  }
}
