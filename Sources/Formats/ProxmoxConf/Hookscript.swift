internal import Bytes

/// Whom Proxmox calls for a VM, by the line `hookscript` of its present configuration.
package enum Hookscript: Hashable, Sendable {
  case none
  /// Berth's snippet, on whatever storage.
  case berth(volume: String)
  case another(volume: String)

  /// - Parameter volume: The line's value; nil for a configuration without one.
  package init(_ volume: String?) {
    guard let volume else {
      self = .none
      return
    }
    let isBerths = volume.cut(at: ":").map { $0.tail.isSame(as: "snippets/berth") } ?? false
    self = isBerths ? .berth(volume: volume) : .another(volume: volume)
  }

  /// The line's value; nil for none.
  package var volume: String? {
    switch self {
    case .none: nil
    case .berth(let volume), .another(let volume): volume
    }
  }

  /// What `install.sh` places, as Proxmox calls it.
  package static let installed = "local:snippets/berth"
}

/// A configuration with another line `hookscript`, written as Proxmox writes it.
package enum HookscriptLine {
  private static let key = "hookscript"

  /// The text with the line, or without any for nil: keys stand in their order (`write_vm_config()` in
  /// src/PVE/QemuServer.pm), and the sections behind them stay what they are.
  package static func text(_ text: String, with volume: String?) -> String {
    let lines = text.fields(at: "\n", keepingEmpty: true)
    let end = lines.firstIndex { $0.begins(with: "[") } ?? lines.count
    var present = lines[..<end].filter { name(of: $0) != key }
    if let volume {
      let next = present.firstIndex { line in name(of: line).map { $0 > key } ?? false }
      let last = present.lastIndex { name(of: $0) != nil }
      present.insert("\(key): \(volume)", at: next ?? last.map { $0 + 1 } ?? 0)
    }
    return (present + lines[end...]).joined(separator: "\n")
  }

  /// The key of a line; nil for a comment and for a blank line.
  private static func name(of line: Substring) -> String? {
    guard !line.begins(with: "#"), let parts = line.cut(at: ":") else { return nil }
    return String(parts.head)
  }
}
