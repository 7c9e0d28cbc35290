package import HostModel

/// A host in one text file, to be unpacked into a folder for `RecordedKernel`.
///
/// Each line is one place, its path relative to the root:
///
///     path<TAB>text       a file, whose text ends with a newline
///     <TAB>text           one more line of the file above
///     path -> target      a symbolic link
///     path/               a folder
///     path += number      a counter that a domain changes (overlays only)
///
/// `\n`, `\t`, `\0` and `\\` stand for those characters, and `\c` at the end of a text says that no
/// newline follows. Empty lines and those that begin with `#` are comments.
///
/// An *overlay* is such a file with what is there only while one domain runs. Where it names a
/// folder, all that is in it goes with the domain.
package struct RecordedHost {
  private enum Item {
    case file(String)
    case link(String)
    case folder
    case counter(Int)
  }

  private var items: [(path: String, item: Item)] = []

  /// - Throws: errno 0 and a diagnosis with the line for a text that is not such a file.
  package init(parsing text: String, from source: String) throws(HostError) {
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line.hasPrefix("\t") {
        guard case .file(let start) = items.last?.item else {
          throw Self.error(source, number, "no file to continue")
        }
        let end = items.count - 1
        items[end].item = .file(start + Self.content(of: line.dropFirst()))
      } else if let item = Self.item(line) {
        items.append(item)
      } else {
        throw Self.error(source, number, "“\(line.prefix(60))” is not a place")
      }
    }
  }

  /// Reads a host's text file; the path is one of this machine.
  package init(at file: String) throws(HostError) {
    let text = try RecordedTree(root: "/").text(of: file)
    try self.init(parsing: text, from: file)
  }

  /// Makes the host in a folder.
  package func unpack(into root: String) throws(HostError) {
    for case (let path, .counter) in items {
      throw HostError(.write, path, diagnosis: "a counter changes in an overlay only")
    }
    try make(in: RecordedTree(root: root))
  }

  private func make(in tree: RecordedTree) throws(HostError) {
    var maker = TreeMaker(tree: tree)
    for (path, item) in items {
      switch item {
      case .file(let text): try maker.makeFile(path, text)
      case .link(let target): try maker.makeLink(path, to: target)
      case .folder: _ = try maker.folder(path)
      case .counter: continue
      }
    }
  }

  /// Lets the domain of an overlay come in.
  ///
  /// - Throws: `ENOMEM` where the host has less than the domain takes, such as huge pages.
  package static func apply(overlay: RecordedHost, to root: String) throws(HostError) {
    let tree = RecordedTree(root: root)
    // First what the host may not have: a domain that finds too little leaves nothing behind.
    for case (let path, .counter(let number)) in overlay.items {
      try add(number, to: path, in: tree)
    }
    try overlay.make(in: tree)
    try settle(tree)
  }

  /// Lets the domain of an overlay leave.
  ///
  /// The kernel then does what it does by itself: partitions end with their cgroups, and surplus
  /// huge pages are freed.
  package static func remove(overlay: RecordedHost, from root: String) throws(HostError) {
    let tree = RecordedTree(root: root)
    for (path, _) in overlay.items.reversed() where PartitionManners.isPartition(path) {
      try PartitionManners().end(path, in: tree)
    }
    for (path, item) in overlay.items.reversed() {
      switch item {
      case .file, .link, .folder: try tree.remove(path)
      case .counter(let number): try add(-number, to: path, in: tree)
      }
    }
    try settle(tree)
  }

  /// Takes a host's folder away with all that is in it.
  ///
  /// - Throws: `EINVAL` for a folder without `recorded/limits`, which is no unpacked host.
  package static func erase(_ root: String) throws(HostError) {
    let tree = RecordedTree(root: root)
    if !tree.exists(RecordedLimits.path) {
      throw HostError(.write, root, errno: ErrorNumber.invalid.number, diagnosis: "not a record")
    }
    for name in try tree.entries(of: "/") { try tree.remove("/\(name)") }
    try tree.removeRoot()
  }

  private static func settle(_ tree: RecordedTree) throws(HostError) {
    try HugepageManners().drain(tree)
    try CPUSets(tree: tree).update()
  }

  private static func add(
    _ number: Int, to path: String, in tree: RecordedTree
  ) throws(HostError) {
    let sum = try tree.number(of: path) + number
    if sum < 0 {
      throw HostError(
        .write, path, value: "\(sum)", errno: 12, diagnosis: "the domain finds too little there")
    }
    try tree.replace("\(sum)\n", at: path)
  }
}

extension RecordedHost {
  private static func item(_ line: Substring) -> (path: String, item: Item)? {
    if let tab = line.firstIndex(of: "\t") {
      let text = content(of: line[line.index(after: tab)...])
      return place(line[..<tab]).map { ($0, .file(text)) }
    }
    let words = line.split(separator: " ")
    if words.count == 3, words[1] == "->" {
      return place(words[0]).map { ($0, .link(unescaped(words[2]))) }
    }
    if words.count == 3, words[1] == "+=", let number = Int(words[2]) {
      return place(words[0]).map { ($0, .counter(number)) }
    }
    return line.hasSuffix("/") ? place(line).map { ($0, .folder) } : nil
  }

  /// A path of the host; nil for one that could lead out of its root.
  private static func place(_ text: Substring) -> String? {
    let parts = unescaped(text).split(separator: "/")
    if parts.isEmpty || parts.contains("..") || text.hasPrefix("/") { return nil }
    return parts.map { "/\($0)" }.joined()
  }

  private static func content(of text: Substring) -> String {
    text.hasSuffix("\\c") ? unescaped(text.dropLast(2)) : unescaped(text) + "\n"
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var rest = text
    while let character = rest.popFirst() {
      guard character == "\\", let escape = rest.popFirst() else {
        result.append(character)
        continue
      }
      switch escape {
      case "n": result.append("\n")
      case "t": result.append("\t")
      case "0": result.append("\0")
      default: result.append(escape)
      }
    }
    return result
  }

  private static func error(_ source: String, _ line: Int, _ diagnosis: String) -> HostError {
    HostError(.read, source, diagnosis: "line \(line): \(diagnosis)")
  }
}
