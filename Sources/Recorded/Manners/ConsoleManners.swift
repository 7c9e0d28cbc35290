internal import Bytes
import HostModel

/// Which driver has the text consoles: `bind` of `/sys/class/vtconsole`.
///
/// What a module's driver lets go of, the system's own driver takes, and the other way round
/// (drivers/tty/vt/vt.c, `store_bind()`).
struct ConsoleManners: KernelManners {
  private static let folder: HostPath = "/sys/devices/virtual/vtconsole"

  func apply(to path: HostPath) -> Bool {
    path.begins(with: Self.folder) && path.ends(with: "/bind")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let isBound = (Int(text.trimmed) ?? 0) != 0
    try tree.replace(isBound ? "1\n" : "0\n", at: path)
    for entry in try tree.entries(of: Self.folder) {
      let folder: HostPath = "\(Self.folder)/\(entry)"
      let isSystems = try tree.text(of: "\(folder)/name").begins(with: "(S)")
      guard path.parent != folder, isSystems else { continue }
      try tree.replace(isBound ? "0\n" : "1\n", at: "\(folder)/bind")
    }
  }
}
