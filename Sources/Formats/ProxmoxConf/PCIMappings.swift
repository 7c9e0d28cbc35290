internal import Bytes
package import HostModel

/// The devices that a node has for the names in `hostpciN: mapping=…`:
/// `/etc/pve/mapping/pci.cfg`.
///
/// The file is for the whole cluster. A section begins with a name at the start of a line and ends
/// at an empty one (src/PVE/SectionConfig.pm); each of its `map` lines is one device of one node
/// (src/PVE/Mapping/PCI.pm in pve-guest-common).
package struct PCIMappings: Hashable, Sendable {
  /// One `map` line: devices of a node, and what Proxmox expects them to be.
  package struct Entry: Hashable, Sendable {
    package var selections: [PCISelection]
    /// `path` as it stands there, parted.
    package var paths: [String]
    /// `id`, `iommugroup` and `subsystem-id`, as far as they are there.
    package var expected: [String: String]
  }

  /// What each mapping has for the node, in the order of the file: Proxmox takes the first that is free.
  package private(set) var entries: [String: [Entry]] = [:]
  /// The mappings whose devices are to make mediated ones (`mdev 1`).
  package private(set) var mediated: Set<String> = []
  /// What Proxmox ignores, in the order of the lines.
  package private(set) var warnings: [ProxmoxProblem] = []

  /// The devices of the alternatives of each mapping.
  package var alternatives: [String: [[PCISelection]]] {
    entries.mapValues { $0.map(\.selections) }
  }

  private let file: String
  private let node: String

  /// Reads the entries of one node.
  ///
  /// - Throws: For more bytes than `/etc/pve` holds in a file, and for a NUL byte.
  package init(
    _ bytes: [UInt8], named file: String = "/etc/pve/mapping/pci.cfg", of node: String
  ) throws(ProxmoxProblem) {
    self.file = file
    self.node = node
    try ProxmoxLines.check(bytes, named: file)
    var section: String?
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      read(String(decoding: line, as: UTF8.self), index + 1, &section)
    }
  }

  private mutating func read(_ line: String, _ number: Int, _ section: inout String?) {
    let text = line.trimmed
    if text.utf8.first == UInt8(ascii: "#") { return }
    if line.isEmpty {
      section = nil
      return
    }
    guard let name = section else {
      if line.utf8.first.map(Self.isBlank) != true, !text.utf8.contains(where: Self.isBlank) {
        section = text
        // A later section of the same name takes the place of the earlier one.
        entries[text] = []
        mediated.remove(text)
      } else if !text.isEmpty {
        warn(number, line, "\(quoted(line)) is in no section; the line is ignored")
      }
      return
    }
    let words = Substring(text).utf8.split(maxSplits: 1, whereSeparator: Self.isBlank)
    guard line.utf8.first.map(Self.isBlank) == true, let key = words.first else {
      return warn(
        number, line, "\(quoted(line)) is not an indented “key value”; the line is ignored")
    }
    if Substring(key) == "map", words.count == 2 {
      add(Substring(words[1]).trimmed, to: name, number)
    } else if Substring(key) == "mdev", words.count == 2 {
      if (try? ProxmoxValue.flag(Substring(words[1]).trimmed)) == true { mediated.insert(name) }
    }
  }

  private mutating func add(_ value: String, to mapping: String, _ number: Int) {
    do throws(ProxmoxValueError) {
      let parts = try PropertyString(value)
      guard let node = parts["node"], let path = parts["path"], parts["id"] != nil else {
        throw ProxmoxValueError("a map with node=, path= and id=")
      }
      if node != self.node { return }
      var entry = Entry(
        selections: try ProxmoxSettings.selections(path),
        paths: path.fields(at: ";").map(String.init), expected: [:])
      for key in ["id", "iommugroup", "subsystem-id"] { entry.expected[key] = parts[key] }
      entries[mapping, default: []].append(entry)
    } catch {
      warn(
        number, value,
        "map of \(mapping) is \(quoted(value)), not \(error.expected); the line is ignored")
    }
  }

  private mutating func warn(_ line: Int, _ value: String, _ sentence: String) {
    warnings.append(ProxmoxProblem(file: file, line: line, value: value, sentence))
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte.isSpace }
}
