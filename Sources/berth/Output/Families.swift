import HostModel

/// Rows of a table, of which those of one family are one where there are many.
///
/// `family` tells what a row is counted as, nil for one that stands by itself, and `key` what rows have to
/// share to be counted together. They come in the order of their first rows.
func rowsByFamily<Row, Key: Equatable>(
  _ rows: [Row], family: (Row) -> SettingFamily?, key: (Row) -> Key
) -> [(family: SettingFamily?, rows: [Row])] {
  var groups: [(family: SettingFamily?, rows: [Row])] = []
  for row in rows {
    if let family = family(row),
      let index = groups.firstIndex(where: { $0.family == family && key($0.rows[0]) == key(row) })
    {
      groups[index].rows.append(row)
    } else {
      groups.append((family(row), [row]))
    }
  }
  return groups.flatMap { group in
    group.rows.count > 2 ? [group] : group.rows.map { (nil, [$0]) }
  }
}

/// What rows have in common; the first one's, and that there is more, where they differ.
func shared<Row>(_ rows: [Row], _ word: (Row) -> String) -> String {
  let first = rows.first.map(word) ?? ""
  return rows.allSatisfy { word($0) == first } ? first : "\(first), …"
}
