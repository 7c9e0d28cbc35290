internal import Bytes
import HostModel

/// `driver_override` of a PCI function, or of another device.
///
/// - Any text is taken, also the name of a driver that does not exist.
/// - A lone newline takes the override away, and the file then reads `(null)`; a write of no
///   bytes does nothing.
struct OverrideManners: KernelManners {
  func apply(to path: HostPath) -> Bool {
    path.begins(with: "/sys/devices") && path.ends(with: "/driver_override")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    if text.isEmpty { return }
    let name = text.fields(at: "\n", keepingEmpty: true).first ?? ""
    try tree.replace(name.isEmpty ? "(null)\n" : "\(name)\n", at: path)
  }
}
