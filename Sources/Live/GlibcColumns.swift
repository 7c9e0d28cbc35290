internal import CLinux
internal import Glibc

/// How many columns of a terminal a character takes, by glibc's tables.
package enum GlibcColumns {
  /// Two for what East Asian scripts write wide and for most pictures, none for what combines with the character
  /// before it; one where glibc has no tables.
  package static func width(of scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII || !knowsUnicode { return 1 }
    return max(0, Int(clinux_columns(scalar.value)))
  }

  /// In the locale “C” glibc knows ASCII alone.
  ///
  /// Nothing else that `LC_CTYPE` changes is used.
  private static let knowsUnicode = setlocale(LC_CTYPE, "C.UTF-8") != nil
}
