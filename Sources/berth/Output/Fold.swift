/// Lists that share a window: what does not fit is folded into one line for each list, the least
/// important list first.
struct Fold {
  private var sections: [Section] = []

  struct Section {
    var heading: [Text] = []
    var rows: [Text]
    /// The most important is folded last.
    var importance: Int
    /// The line that stands for the last rows, given how many are shown.
    var rest: (Int) -> Text
  }

  mutating func append(_ section: Section) {
    if !section.rows.isEmpty { sections.append(section) }
  }

  mutating func append(_ line: Text) {
    append(Section(rows: [line], importance: .max, rest: { _ in line }))
  }

  /// The lists one below the other in so many lines; in as many as it takes for nil.
  func lines(height: Int?) -> [Text] {
    var shown = sections.map(\.rows.count)
    if let height { fold(&shown, into: height) }
    let lines = zip(sections, shown).flatMap { section, count in
      (count > 0 ? section.heading + section.rows.prefix(count) : [])
        + (count < section.rows.count ? [section.rest(count)] : [])
    }
    return height.map { Array(lines.prefix($0)) } ?? lines
  }

  private func fold(_ shown: inout [Int], into height: Int) {
    var excess = sections.reduce(0) { $0 + $1.heading.count + $1.rows.count } - height
    let order = sections.indices.sorted { sections[$0].importance < sections[$1].importance }
    // The line in their place takes the place of one row.
    for index in order where excess > 0 && shown[index] > 1 {
      let kept = max(0, shown[index] - excess - 1)
      excess -= shown[index] - kept - 1
      // A heading goes with the last of its rows.
      if kept == 0 { excess -= sections[index].heading.count }
      shown[index] = kept
    }
  }
}
