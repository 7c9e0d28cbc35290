/// Tries every way through a piece of code that makes choices.
///
/// `while chooser.next() { … chooser.pick(n) … }` runs the body once for every combination of
/// answers: as an odometer does, it repeats the last run's answers up to the last one that can
/// still be raised. What is asked may depend on the answers before.
struct Chooser {
  private var picked: [(answer: Int, count: Int)] = []
  private var position = 0
  private var hasBegun = false
  private(set) var runs = 0

  /// Prepares the next combination; false when all have been tried.
  mutating func next() -> Bool {
    if hasBegun {
      while let last = picked.last, last.answer + 1 == last.count { picked.removeLast() }
      guard let last = picked.popLast() else { return false }
      picked.append((last.answer + 1, last.count))
    }
    hasBegun = true
    position = 0
    runs += 1
    return true
  }

  /// A number from 0 up to and without `count`.
  mutating func pick(_ count: Int) -> Int {
    precondition(count > 0, "there is nothing to choose from")
    if position == picked.count { picked.append((0, count)) }
    precondition(picked[position].count == count, "the same answers led to another question")
    defer { position += 1 }
    return picked[position].answer
  }

  /// One of several things.
  mutating func pick<Choice>(from choices: [Choice]) -> Choice { choices[pick(choices.count)] }
}
