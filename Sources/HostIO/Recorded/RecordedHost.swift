package import HostModel

/// A host in one text file, to be unpacked into a folder for `RecordedKernel`.
///
/// Each line is one place, its path relative to the root:
///
///     path<TAB>text       a file, whose text ends with a newline
///     path*<TAB>text      the same of a program, which may be run
///     <TAB>text           one more line of the file above
///     path -> target      a symbolic link
///     path/               a folder
///     path += number      a counter that a domain changes (overlays only)
///
/// `\n`, `\t`, `\0` and `\\` stand for those characters, `\s` for a blank, and `\c` at the end of a
/// text says that no newline follows. Empty lines and those that begin with `#` are comments.
///
/// An *overlay* is such a file with what is there only while one domain runs. Where it names a
/// folder, all that is in it goes with the domain.
package struct RecordedHost {
  enum Item: Hashable {
    case file(String, isProgram: Bool = false)
    case link(String)
    case folder
    case counter(Int)
  }

  /// The places by their paths from `/` on; none leads through `..`.
  private(set) var items: [(path: String, item: Item)] = []

  init(items: [(path: String, item: Item)]) { self.items = items }

  /// - Throws: errno 0 and a diagnosis with the line for a text that is not such a file.
  package init(parsing text: String, from source: String) throws(HostError) {
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line.hasPrefix("\t") {
        guard case .file(let start, let isProgram) = items.last?.item else {
          throw Self.error(source, number, "no file to continue")
        }
        let end = items.count - 1
        items[end].item = .file(
          start + Self.content(of: line.dropFirst()), isProgram: isProgram)
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

  /// How many files, links and folders it names.
  package var files: Int { items.count { if case .file = $0.item { true } else { false } } }
  package var links: Int { items.count { if case .link = $0.item { true } else { false } } }
  package var folders: Int { items.count { $0.item == .folder } }

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
      case .file(let text, let isProgram):
        try maker.makeFile(path, text, mode: isProgram ? 0o755 : 0o644)
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
