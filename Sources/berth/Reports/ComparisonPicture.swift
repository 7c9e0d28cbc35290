internal import HostModel

/// A comparison as a picture with bars, for a wiki or a ticket: SVG 1.1 without scripts or fonts of
/// its own, light or dark as whoever looks at it likes.
struct ComparisonPicture {
  let report: ComparisonReport
  /// Off where the page that it is part of has said whose it is and whether it helped.
  var hasHeading = true

  private static let width = 720
  private static let margin = 20
  /// What a row of the picture takes: a name and two bars.
  private static let rowHeight = 66
  private static let barWidth = 520
  /// Characters of the verdict in a line.
  private static let columns = 84

  var svg: String {
    let top = hasHeading ? 68 + verdict.count * 20 : 0
    let height = top + report.figures.count * Self.rowHeight + Self.margin
    let rows = report.figures.enumerated().map { index, figure in
      row(figure, y: top + index * Self.rowHeight)
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.width)" height="\(height)" \
      viewBox="0 0 \(Self.width) \(height)" font-family="system-ui, sans-serif" font-size="14" \
      role="img" aria-label="\(Escape.markup(report.verdict))">
      <style>
      .page { fill: #ffffff } .ink { fill: #1a1a1a } .faint { fill: #666666 }
      .before { fill: #9aa0a6 } .after { fill: #4878cf }
      .better { fill: #1a7f37 } .worse { fill: #c62828 } .unclear { fill: #b8500b }
      @media (prefers-color-scheme: dark) {
      .page { fill: #16181d } .ink { fill: #e6e6e6 } .faint { fill: #9a9a9a }
      .before { fill: #6b7178 } .after { fill: #6f9cf0 }
      .better { fill: #56d364 } .worse { fill: #ff7b72 } .unclear { fill: #f0a35e } }
      </style>
      <rect class="page" width="\(Self.width)" height="\(height)"/>
      \(heading)
      \(rows.joined(separator: "\n"))
      </svg>

      """
  }

  private var verdict: [String] {
    TopologyPlan.wrapped(report.verdict, indent: 0, columns: Self.columns)
  }

  /// Whose it is, and whether it helped.
  private var heading: String {
    guard hasHeading else { return "" }
    let name = text(
      report.after, x: Self.margin, y: 32, "ink", "font-size=\"18\" font-weight=\"600\"")
    let lines = verdict.enumerated().map { index, line in
      text(line, x: Self.margin, y: 58 + index * 20, report.helped.colour)
    }
    return ([name] + lines).joined(separator: "\n")
  }

  private func row(_ figure: ComparisonReport.Figure, y: Int) -> String {
    let most = max(figure.before, figure.after, 0.0001)
    let name = text("\(figure.name), \(figure.unit)", x: Self.margin, y: y + 14, "ink")
    let verdict = text(
      figure.verdict ?? "", x: Self.width - Self.margin, y: y + 14, figure.change.colour,
      "text-anchor=\"end\"")
    return [
      name, verdict, bar("before", figure.before, of: most, y: y + 22),
      bar("after", figure.after, of: most, y: y + 40),
    ].joined(separator: "\n")
  }

  private func bar(_ name: String, _ value: Double, of most: Double, y: Int) -> String {
    let left = Self.margin + 56
    let width = min(max(1, Int(nearest: value / most * Double(Self.barWidth))), Self.barWidth)
    return """
      \(text(name, x: Self.margin, y: y + 12, "faint", "font-size=\"12\""))
      <rect class="\(name)" x="\(left)" y="\(y)" width="\(width)" height="14" rx="2"/>
      \(text(decimal(value), x: left + width + 8, y: y + 12, "ink", "font-size=\"12\""))
      """
  }

  private func text(
    _ words: String, x: Int, y: Int, _ style: String, _ attributes: String = ""
  ) -> String {
    words.isEmpty
      ? ""
      : "<text class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" \(attributes)>\(Escape.markup(words))</text>"
  }
}

extension ComparisonReport.Figure.Change {
  fileprivate var colour: String {
    switch self {
    case .better: "better"
    case .worse: "worse"
    case .none: "faint"
    }
  }
}

extension ComparisonReport.Helped {
  /// The class of the words that say so, in the picture and on the page.
  var colour: String {
    switch self {
    case .yes: "better"
    case .no: "worse"
    case .mixed, .notComparable: "unclear"
    }
  }
}
