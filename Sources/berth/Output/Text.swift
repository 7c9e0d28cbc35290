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
    let isLong = name.count > Self.nameLimit
    self.init(isLong ? name.prefix(Self.nameLimit - 1) + "…" : name, style)
  }

  private static let nameLimit = 48

  static func + (left: Text, right: Text) -> Text {
    var joined = left
    joined.runs += right.runs
    return joined
  }

  /// How many characters wide it is shown.
  var width: Int { runs.reduce(0) { $0 + Escape.visible($1.words).count } }

  /// The text cut where it would not fit into so many columns, an ellipsis at its end.
  func cut(to columns: Int) -> Text {
    guard width > columns else { return self }
    var cut = Text("")
    cut.runs = []
    var left = max(0, columns - 1)
    for run in runs {
      let words = Escape.visible(run.words).prefix(left)
      cut.runs.append((String(words), run.style))
      left -= words.count
    }
    return columns > 0 ? cut + "…" : cut
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

  /// The rows as lines, each after `indent` spaces.
  func lines(indent: Int = 0) -> [Text] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.filter { $0.count > column + 1 }.map { $0[column].width }.max() ?? 0
    }
    return rows.map { row in
      var line = Text(String(repeating: " ", count: indent))
      for (column, cell) in row.enumerated() {
        line = line + cell
        guard column < row.count - 1 else { break }
        line = line + Text(String(repeating: " ", count: widths[column] - cell.width + 2))
      }
      return line
    }
  }
}
