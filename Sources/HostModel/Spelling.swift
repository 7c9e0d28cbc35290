internal import Bytes

/// The nearest of some names to one that is not among them.
package enum Spelling {
  /// The name that is the fewest changes away, if that is less than half of the word.
  package static func nearest(to word: String, among names: [String]) -> String? {
    let ranked = names.map { (name: $0, changes: changes(from: word, to: $0)) }
    guard let best = ranked.min(by: { $0.changes < $1.changes }),
      best.changes * 2 < max(word.utf8.count, best.name.utf8.count)
    else { return nil }
    return best.name
  }

  /// How many bytes have to be put in, taken out or replaced (Levenshtein).
  static func changes(from left: String, to right: String) -> Int {
    let right = Array(right.utf8.prefix(100))
    var row = Array(0...right.count)
    for (index, byte) in left.utf8.prefix(100).enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let replaced = diagonal + (byte == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
      }
    }
    return row[right.count]
  }
}
