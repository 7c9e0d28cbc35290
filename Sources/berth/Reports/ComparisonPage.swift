/// A comparison as a page of its own, with bars, for a ticket or a wiki: HTML without scripts.
struct ComparisonPage {
  let report: ComparisonReport

  var html: String {
    """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <title>\(escaped(report.after)): before and after</title>
    <style>
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; color: #1a1a1a }
    h1 { font-size: 1.3em } th { text-align: left; font-weight: 600; padding-top: 1em }
    td { padding: 1px 8px 1px 0 } .doubt { color: #b8500b }
    .verdict { font-weight: 400; color: #555 }
    </style>
    <h1>What the average vCPU of \(escaped(report.after)) got</h1>
    <table>
    \(report.figures.map(row).joined(separator: "\n"))
    </table>
    \(report.doubts.map { "<p class=\"doubt\">\(escaped($0))</p>" }.joined(separator: "\n"))
    </html>

    """
  }

  private func row(_ figure: ComparisonReport.Figure) -> String {
    let most = max(figure.before, figure.after, 0.0001)
    let verdict = figure.verdict.map { " <span class=\"verdict\">\($0)</span>" } ?? ""
    return """
      <tr><th colspan="3">\(figure.name), \(figure.unit)\(verdict)</th></tr>
      <tr><td>before</td><td>\(bar(figure.before / most, "#9aa0a6"))</td>\
      <td>\(decimal(figure.before))</td></tr>
      <tr><td>after</td><td>\(bar(figure.after / most, "#4878cf"))</td>\
      <td>\(decimal(figure.after))</td></tr>
      """
  }

  private func bar(_ share: Double, _ colour: String) -> String {
    let width = max(1, Int((share * 380).rounded()))
    return """
      <svg width="384" height="14" role="img" aria-label="\(decimal(share * 100)) %">\
      <rect width="\(width)" height="14" rx="2" fill="\(colour)"/></svg>
      """
  }

  private func escaped(_ words: String) -> String {
    Terminal.harmless(words).replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      .replacing(">", with: "&gt;")
  }
}
