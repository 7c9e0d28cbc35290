internal import Bytes
import HostModel

/// The sizes of BARs.
///
/// `resourceN_resize` shows the sizes that the function offers as bits, and takes the number of one:
/// `EBUSY` while a driver has the function, `EINVAL` for a size that is not offered, `ENOSPC` for
/// more than `window` of `recorded/limits` (MiB). The size that a BAR has stands in `resource`.
struct BARManners: KernelManners {
  func apply(to path: HostPath) -> Bool {
    path.starts(with: "/sys/devices/pci") && path.ends(with: "_resize")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let device = path.parent
    let name = path.name.rest(before: "_resize") ?? ""
    let offered = UInt64(try tree.text(of: path).trimmed, radix: 16) ?? 0
    guard let bar = String(name).number(after: "resource"), let bit = Int(text.trimmed),
      (0..<44).contains(bit), offered & 1 << UInt64(bit) != 0
    else { throw refusal(of: text, at: path, .invalid) }
    if tree.exists("\(device)/driver") { throw refusal(of: text, at: path, .busy) }
    let window = try RecordedLimits(of: tree).number("window", of: path)
    if let window, 1 << bit > window { throw refusal(of: text, at: path, .noSpace) }
    try resize(bar, to: 1 << (20 + bit), at: "\(device)/resource", in: tree)
  }

  private func resize(
    _ bar: Int, to size: UInt64, at path: HostPath, in tree: RecordedTree
  ) throws(HostError) {
    var lines = try tree.text(of: path).fields(at: "\n").map(String.init)
    guard bar < lines.count else { return }
    var fields = lines[bar].fields(at: " ").map(String.init)
    guard fields.count == 3, let first = UInt64(fields[0].rest(after: "0x") ?? "", radix: 16) else {
      return
    }
    fields[1] = "0x" + Self.padded(String(first + size - 1, radix: 16))
    lines[bar] = fields.joined(separator: " ")
    try tree.replace(lines.joined(separator: "\n") + "\n", at: path)
  }

  private static func padded(_ digits: String) -> String {
    String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits
  }
}
