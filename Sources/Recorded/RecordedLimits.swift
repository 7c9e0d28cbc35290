internal import Bytes
internal import Formats
import HostModel

/// What a recorded host would answer where its files do not tell: `recorded/limits`.
///
/// Each line is `PATH KEY VALUE`, where the path is one of the host; lines that begin with `#`
/// are comments. The keys:
///
/// - `max N`: the greatest total that a pool of huge pages can reach;
/// - `max-compacted N`: the same, once its node's memory has been compacted;
/// - `managed yes`: an interrupt whose CPUs the kernel chooses itself;
/// - `driver NAME`: the driver that takes a PCI function by itself;
/// - `resets A,B`: the ways that a PCI function can be reset, of its `reset_method`;
/// - `window N`: how many MiB a BAR may have, whatever its function offers;
/// - `taken yes` or `no`: whether somebody has a disk, by its file in `/dev`, to himself;
/// - `hangs yes`: a write here never comes back;
/// - `refuses N`: a write here fails with that number of errno(3).
///
/// Where the path is the name of a unit or that of a program:
///
/// - `hangs yes`: its start and its stop never end;
/// - `refuses N`: they fail;
/// - `required-by UNIT`: that one stops with it;
/// - `transient yes`: it is gone once it stops.
struct RecordedLimits {
  private struct Line {
    var path: String
    var key: String
    var value: String
  }

  private var lines: [Line] = []
  /// The lines of each path, as there are hundreds.
  private var indices: [String: [Int]] = [:]

  /// The limits of a tree; none where the tree has no such file.
  init(of tree: RecordedTree) throws(HostError) {
    self = try tree.memory.limits { () throws(HostError) in
      try RecordedLimits(parsing: tree.textIfPresent(of: RecordedHost.limits) ?? "")
    }
  }

  private init(parsing text: String) throws(HostError) {
    for line in text.lines where !line.begins(with: "#") {
      let fields = line.fields(at: " ").map(String.init)
      guard fields.count == 3 else {
        throw HostError(
          .read, RecordedHost.limits, diagnosis: "“\(line.clipped(to: 80))” is not PATH KEY VALUE")
      }
      append(Line(path: fields[0], key: fields[1], value: fields[2]))
    }
  }

  private mutating func append(_ line: Line) {
    indices[line.path, default: []].append(lines.count)
    lines.append(line)
  }

  func values(_ key: String, of path: String) -> [String] {
    (indices[path] ?? []).map { lines[$0] }.filter { $0.key == key }.map(\.value)
  }

  func value(_ key: String, of path: String) -> String? { values(key, of: path).last }

  func number(_ key: String, of path: String) -> Int? {
    value(key, of: path).flatMap { Quantity.pages.number($0) }
  }

  /// Makes what `max-compacted` says the limit of each pool below a directory.
  mutating func compact(below directory: HostPath) {
    for line in lines
    where line.key == "max-compacted" && HostPath(foreign: line.path).begins(with: directory) {
      append(Line(path: line.path, key: "max", value: line.value))
    }
  }

  func value(_ key: String, of path: HostPath) -> String? { value(key, of: path.description) }

  func number(_ key: String, of path: HostPath) -> Int? { number(key, of: path.description) }

  var text: String {
    lines.map { "\($0.path) \($0.key) \($0.value)\n" }.joined()
  }
}
