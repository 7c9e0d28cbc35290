extension Unicode.Scalar {
  /// Whether a reader sees something else than is there: control characters, those that turn the direction of
  /// writing or have no width, other ends of lines, and what is no character at all.
  package var misleads: Bool {
    // Nearly all of what is ever shown is plain.
    if (0x20..<0x7f).contains(value) { return false }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate:
      return true
    default: return properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint
    }
  }
}
