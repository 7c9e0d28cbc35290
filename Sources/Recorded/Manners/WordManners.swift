internal import Bytes
import HostModel

/// Attributes that hold words of their own choosing.
///
/// - Of several words, the chosen one in brackets, any but these is `EINVAL`
///   (`/sys/kernel/mm/transparent_hugepage/`).
/// - `ksm/run` takes 0 to 2.
/// - A switch among the parameters of modules takes `1`, `0`, `y`, `n` and shows `Y` or `N`.
struct WordManners: KernelManners {
  /// Whether it is a file below the `parameters` of a module.
  private static func isParameter(_ path: HostPath) -> Bool {
    path.begins(with: "/sys/module") && path.description.has(text: "/parameters/")
  }

  func apply(to path: HostPath) -> Bool {
    path.begins(with: "/sys/kernel/mm/transparent_hugepage") || path == "/sys/kernel/mm/ksm/run"
      || Self.isParameter(path)
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let standing = try tree.text(of: path).trimmed
    guard let result = answer(to: text.trimmed, at: path, standing) else {
      throw refusal(of: text, at: path, .invalid)
    }
    try tree.replace("\(result)\n", at: path)
  }

  /// What the file holds after the write; nil where it is refused.
  private func answer(to word: String, at path: HostPath, _ standing: String) -> String? {
    if standing.has("[") {
      let words = standing.fields(at: " ")
        .map { String($0.rest(after: "[")?.rest(before: "]") ?? $0) }
      guard words.contains(word) else { return nil }
      return words.map { $0 == word ? "[\($0)]" : $0 }.joined(separator: " ")
    }
    if path.ends(with: "/ksm/run") { return ["0", "1", "2"].contains(word) ? word : nil }
    guard Self.isParameter(path), standing == "Y" || standing == "N" else { return word }
    return ["1": "Y", "y": "Y", "Y": "Y", "0": "N", "n": "N", "N": "N"][word]
  }
}
