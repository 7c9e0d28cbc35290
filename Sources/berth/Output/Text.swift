internal import Bytes

/// Words for a person, some of them in a style.
///
/// What comes from outside (a domain's name) may hold control characters: they are shown escaped,
/// so that a name cannot move the cursor of whoever reads it.
struct Text: ExpressibleByStringInterpolation {
  private var runs: [(words: String, style: Terminal.Style?)]

  init(_ words: String, _ style: Terminal.Style? = nil) { runs = [(words, style)] }

  init(stringLiteral words: String) { self.init(words) }

  /// A name that somebody else chose, cut where it would push everything else out of sight.
  init(name: String, _ style: Terminal.Style? = nil) {
    let isLong = Columns.width(of: name) > Self.nameLimit
    self.init(
      isLong ? Columns.prefix(of: name, in: Self.nameLimit - 1) + "…" : name, style)
  }

  private static let nameLimit = 48

  static func + (left: Text, right: Text) -> Text {
    var joined = left
    joined.runs += right.runs
    return joined
  }

  /// How many columns it is shown in.
  var width: Int { runs.reduce(0) { $0 + Columns.width(of: Escape.visible($1.words)) } }

  /// The text cut where it would not fit into so many columns, an ellipsis at its end.
  func cut(to columns: Int) -> Text {
    guard width > columns else { return self }
    var cut = Text("")
    cut.runs = []
    var left = max(0, columns - 1)
    for run in runs {
      let whole = Escape.visible(run.words)
      let words = Columns.prefix(of: whole, in: left)
      cut.runs.append((String(words), run.style))
      if words.endIndex < whole.endIndex { break }
      left -= Columns.width(of: words)
    }
    return columns > 0 ? cut + "…" : cut
  }

  /// The text in lines of so many columns, broken between words; a longer word has a line of its own.
  func wrapped(to columns: Int) -> [Text] {
    var lines: [Text] = []
    for run in runs {
      for word in run.words.fields(at: " ").map(String.init) {
        if let last = lines.last, last.width + 1 + Text(word).width <= columns {
          lines[lines.count - 1].append(word, run.style)
        } else {
          lines.append(Text(word, run.style))
        }
      }
    }
    return lines
  }

  /// Adds a word, in the run before it where that has the same style.
  private mutating func append(_ word: String, _ style: Terminal.Style?) {
    if runs.last?.style == style {
      runs[runs.count - 1].words += " " + word
    } else {
      runs += [(" ", nil), (word, style)]
    }
  }

  /// The text as it is written to standard output.
  var rendered: String {
    runs.map { run in
      let words = Escape.visible(run.words)
      return run.style.map { Terminal.styled(words, $0) } ?? words
    }.joined()
  }
}

/// Rows of text in aligned columns, two spaces apart.
struct Table {
  private var rows: [[Text]] = []

  mutating func append(_ cells: Text...) { rows.append(cells) }

  var isEmpty: Bool { rows.isEmpty }

  /// The least width in which the last column's words are broken into lines.
  private static let narrowest = 20

  /// The rows as lines, each after `indent` spaces.
  ///
  /// What the last column has beyond `width` columns follows below it. Where it has no room at all, as for
  /// nil, a line is as long as it is.
  func lines(indent: Int = 0, width: Int? = nil) -> [Text] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.filter { $0.count > column + 1 }.map { $0[column].width }.max() ?? 0
    }
    return rows.flatMap { row in
      var line = Text(String(repeating: " ", count: indent))
      for (column, cell) in row.dropLast().enumerated() {
        line =
          line + cell + Text(String(repeating: " ", count: widths[column] - cell.width + 2))
      }
      let room = width.map { $0 - line.width } ?? 0
      let last = row.last ?? ""
      guard room >= Self.narrowest, last.width > room else { return [line + last] }
      let gap = Text(String(repeating: " ", count: line.width))
      return last.wrapped(to: room).enumerated().map { ($0 == 0 ? line : gap) + $1 }
    }
  }
}
