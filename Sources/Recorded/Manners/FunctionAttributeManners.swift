internal import Bytes
import HostModel

/// How a PCI function is reset and how it sleeps.
///
/// - `reset_method` takes a list of the ways that the function has (`resets` of `recorded/limits`,
///   with commas), in any order; an empty line turns resetting off, `default` makes it all of them
///   again, and anything else is `EINVAL`.
/// - `d3cold_allowed` takes a number and shows `0` or `1`.
/// - `power/control` takes `auto` and `on`.
struct FunctionAttributeManners: KernelManners {
  func apply(to path: HostPath) -> Bool {
    path.starts(with: "/sys/devices/pci")
      && FunctionAttribute.allCases.contains { path.ends(with: "/\($0.rawValue)") }
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let word = text.trimmed
    var answer: String?
    if path.ends(with: "/reset_method") {
      answer = resets(word, possible: try possible(at: path, in: tree))
    } else if path.ends(with: "/d3cold_allowed") {
      answer = Int(word).map { $0 == 0 ? "0" : "1" }
    } else if word == "auto" || word == "on" {
      answer = word
    }
    guard let answer else { throw refusal(of: text, at: path, .invalid) }
    try tree.replace("\(answer)\n", at: path)
  }

  private func possible(at path: HostPath, in tree: RecordedTree) throws(HostError) -> [String] {
    let limit = try RecordedLimits(of: tree).value("resets", of: path)
    return (limit ?? "").fields(at: ",").map(String.init)
  }

  private func resets(_ word: String, possible: [String]) -> String? {
    if word == "default" { return possible.joined(separator: " ") }
    let words = word.fields(at: " ").map(String.init)
    return words.allSatisfy(possible.contains) ? words.joined(separator: " ") : nil
  }
}
