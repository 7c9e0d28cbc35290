internal import Live

/// How many columns of a terminal texts take; a terminal goes by tables of its own, which may be older.
enum Columns {
  static func width(of text: some StringProtocol) -> Int {
    text.unicodeScalars.reduce(0) { $0 + GlibcColumns.width(of: $1) }
  }

  /// As much of the text as fits.
  static func prefix(of text: String, in columns: Int) -> Substring {
    var left = columns
    let end = text.indices.first { index in
      left -= width(of: text[index...index])
      return left < 0
    }
    return text[..<(end ?? text.endIndex)]
  }
}
