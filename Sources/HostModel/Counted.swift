/// How many there are of what a noun with a regular plural names: `1 page`, `2 pages`.
package func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}
