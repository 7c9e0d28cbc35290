internal import Bytes

/// The storage `local` of Proxmox VE, where Berth's snippet is.
///
/// Each node has it: a folder at `/var/lib/vz`, whatever `/etc/pve/storage.cfg` says (`parse_config()` in
/// src/PVE/Storage/Plugin.pm).
package struct LocalStorage: Hashable, Sendable {
  /// What it may hold, such as `snippets`.
  package private(set) var content = ["backup", "images", "iso", "rootdir", "snippets", "vztmpl"]
  /// The folder of its snippets.
  package private(set) var snippets = "\(folder)/snippets"
  package private(set) var isDisabled = false

  private static let folder = "/var/lib/vz"

  package var holdsSnippets: Bool { content.contains { $0.isSame(as: "snippets") } }

  /// The storage of a node without a `storage.cfg`.
  package init() {}

  /// Reads `storage.cfg`; where that has no such storage, it is the one of every node.
  package init(_ bytes: [UInt8]) {
    guard let keys = Self.keys(in: String(decoding: bytes, as: UTF8.self)),
      (keys["path"] ?? Self.folder).isSame(as: Self.folder)
    else { return }
    // Without a word of it, a folder has images alone.
    content = Self.list(keys["content"] ?? "images,rootdir")
    isDisabled = keys["disable"].map { $0 != "0" } ?? false
    for override in Self.list(keys["content-dirs"] ?? "") {
      if let name = override.rest(after: "snippets=") { snippets = "\(Self.folder)/\(name)" }
    }
  }

  /// The storage as `storage.cfg` has it, alone.
  package var text: String {
    var lines = ["dir: local", "path \(Self.folder)", "content \(content.joined(separator: ","))"]
    if let name = snippets.rest(after: "\(Self.folder)/"), name != "snippets" {
      lines.append("content-dirs snippets=\(name)")
    }
    if isDisabled { lines.append("disable 1") }
    return lines.joined(separator: "\n\t") + "\n"
  }

  /// The keys of `dir: local`, which are indented below it; nil without it.
  private static func keys(in text: String) -> [String: String]? {
    var keys: [String: String]?
    for line in text.fields(at: "\n", keepingEmpty: true) {
      let isIndented = line.utf8.first.map { $0 == 32 || $0 == 9 } ?? false
      let words = line.fields(atAnyOf: " ", "\t")
      if isIndented, keys != nil, let key = words.first {
        keys?[String(key)] = words.dropFirst().joined(separator: " ")
      } else if keys != nil, !line.begins(with: "#") {
        return keys
      } else if words == ["dir:", "local"] {
        keys = [:]
      }
    }
    return keys
  }

  private static func list(_ text: String) -> [String] {
    text.fields(atAnyOf: ",", ";", " ").map(String.init)
  }
}
