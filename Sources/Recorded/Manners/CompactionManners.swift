internal import Bytes
internal import Formats
import HostModel

/// One-shot requests: `compact` of a node, `drop_caches`, `compact_memory`.
///
/// - A node's `compact` takes any value and always succeeds. What it moved together shows only in
///   the huge pages that can be had afterwards.
/// - `drop_caches` takes 1 to 4, `compact_memory` 1; anything else is `EINVAL`.
struct CompactionManners: KernelManners {
  private static let nodes: HostPath = "/sys/devices/system/node"

  func apply(to path: HostPath) -> Bool {
    path == "/proc/sys/vm/drop_caches" || path == "/proc/sys/vm/compact_memory"
      || path.begins(with: Self.nodes) && path.ends(with: "/compact")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    if path.ends(with: "/drop_caches") {
      guard let level = Int(text.trimmed), (1...4).contains(level) else {
        throw refusal(of: text, at: path, .invalid)
      }
      return
    }
    if path.ends(with: "/compact_memory"), text.trimmed != "1" {
      throw refusal(of: text, at: path, .invalid)
    }
    var limits = try RecordedLimits(of: tree)
    let isOneNode = path.begins(with: Self.nodes)
    limits.compact(below: isOneNode ? path.parent : "/sys/devices")
    if tree.exists(RecordedHost.limits) { try tree.replace(limits.text, at: RecordedHost.limits) }
  }
}
