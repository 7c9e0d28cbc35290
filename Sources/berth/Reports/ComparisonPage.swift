/// A comparison as a page of its own, for a ticket or a wiki: HTML without scripts, for wide and
/// narrow windows, light or dark.
struct ComparisonPage {
  let report: ComparisonReport

  var html: String {
    """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(Escape.markup(report.after)): before and after</title>
    <style>
    :root { color-scheme: light dark; --ink: #1a1a1a; --page: #fff; --line: #ddd;
      --better: #1a7f37; --worse: #c62828; --unclear: #b8500b }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --page: #16181d; --line: #3a3f47;
      --better: #56d364; --worse: #ff7b72; --unclear: #f0a35e } }
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 46em; margin: 1.5em auto;
      padding: 0 1em; color: var(--ink); background: var(--page) }
    h1, h2 { font-size: 1.25em; overflow-wrap: anywhere } h2 { font-size: 1.1em; margin-top: 2em }
    .answer { font-size: 1.1em; font-weight: 600 } .better { color: var(--better) }
    .worse { color: var(--worse) } .unclear { color: var(--unclear) }
    svg { width: 100%; height: auto; margin-left: -1.2em } .wide { overflow-x: auto }
    table { border-collapse: collapse; white-space: nowrap }
    th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line) }
    td { font-variant-numeric: tabular-nums }
    </style>
    <h1>Did it help \(Escape.markup(report.after))?</h1>
    <p class="answer \(report.helped.colour)">\(Escape.markup(capitalized(report.verdict))).</p>
    <h2>What the average vCPU got</h2>
    \(ComparisonPicture(report: report, hasHeading: false).svg)
    \(table)
    </html>

    """
  }

  private var table: String {
    guard !report.vcpus.isEmpty else { return "" }
    let heads = ["vCPU", "CPUs", "waiting, %", "preemptions/s", "migrations/s", "devices/s"]
    return """
      <h2>What each vCPU got</h2>
      <div class="wide"><table>
      <tr>\(heads.map { "<th>\($0)</th>" }.joined())</tr>
      \(report.vcpus.map(row).joined(separator: "\n"))
      </table></div>
      """
  }

  private func row(_ vcpu: ComparisonReport.VCPU) -> String {
    let cells = [
      vcpu.name, ComparisonReport.arrow(vcpu.cpusBefore, vcpu.cpusAfter), vcpu.waiting.words,
      vcpu.preemptions.words, vcpu.migrations?.words ?? "–", vcpu.deviceInterrupts?.words ?? "–",
    ]
    return "<tr>" + cells.map { "<td>\(Escape.markup($0))</td>" }.joined() + "</tr>"
  }

  private func capitalized(_ sentence: String) -> String {
    sentence.prefix(1).uppercased() + sentence.dropFirst()
  }

}
