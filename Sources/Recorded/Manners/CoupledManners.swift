internal import Bytes
import HostModel

/// Attributes of which a write to one changes another (`Coupling` names the functions of the kernel).
///
/// - `dirty_bytes` takes two pages and more, `dirty_background_bytes` 1 and more; a `ratio` of them takes 0
///   to 100, `overcommit_ratio` any number. Those of dirty pages make the other one 0 only where theirs is
///   new, all others always.
/// - The watchdogs read 0 while `watchdog` does, and somebody always reads them: they keep that 0.
struct CoupledManners: KernelManners {
  func apply(to path: HostPath) -> Bool { Coupling(path: path.description) != nil }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    guard let coupling = Coupling(path: path.description) else { return }
    guard let number = Quantity.count.number(text.trimmed),
      Self.range(of: path.name).contains(number)
    else { throw refusal(of: text, at: path, .invalid) }
    if coupling == .watchdog { return try writeWatchdog(number, to: path, in: tree) }
    let isNew = try tree.text(of: path).trimmed != "\(number)"
    try tree.replace("\(number)\n", at: path)
    if coupling == .dirty, !isNew { return }
    for other in coupling.paths.map(HostPath.init(foreign:)) where other != path {
      try tree.replace("0\n", at: other)
    }
  }

  private static func range(of name: String) -> ClosedRange<Int> {
    switch name {
    case "dirty_bytes": 8192...Quantity.count.range.upperBound
    case "dirty_background_bytes": 1...Quantity.count.range.upperBound
    case "dirty_ratio", "dirty_background_ratio": 0...100
    case "overcommit_kbytes", "overcommit_ratio": 0...Quantity.count.range.upperBound
    default: 0...1
    }
  }

  private func writeWatchdog(
    _ number: Int, to path: HostPath, in tree: RecordedTree
  ) throws(HostError) {
    let all = Coupling.watchdog.paths.map(HostPath.init(foreign:))
    guard let main = all.first else { return }
    if path == main {
      try tree.replace("\(number)\n", at: path)
      guard number == 0 else { return }
      for part in all.dropFirst() where tree.exists(part) { try tree.replace("0\n", at: part) }
    } else if try tree.text(of: main).trimmed != "0" {
      try tree.replace("\(number)\n", at: path)
    }
  }
}
