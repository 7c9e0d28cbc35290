internal import Bytes
package import Formats
internal import Glibc
package import HostModel
internal import SystemCalls

/// Recorded hosts in folders.
extension RecordedHost {
  /// Reads a host's text file; the path is one of this machine.
  package init(at file: String) throws(HostError) {
    let bytes: [UInt8]
    do {
      let opened = try Descriptor(open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
      bytes = try opened.bytes(limit: Self.textLimit)
    } catch {
      throw HostError(.read, file, errno: error.number)
    }
    try self.init(parsing: String(decoding: bytes, as: UTF8.self), from: file)
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
    if !tree.exists(limits) {
      throw HostError(.write, root, errno: ErrorNumber.invalid.number, diagnosis: "not a record")
    }
    for name in try tree.entries(of: .root) { try tree.remove("/\(name)") }
    try tree.removeRoot()
  }

  private static func settle(_ tree: RecordedTree) throws(HostError) {
    try HugepageManners().drain(tree)
    try CPUSets(tree: tree).update()
  }

  private static func add(
    _ number: Int, to path: HostPath, in tree: RecordedTree
  ) throws(HostError) {
    let (sum, isTooMuch) = try tree.number(of: path, as: .pages).addingReportingOverflow(number)
    if sum < 0 || isTooMuch {
      throw HostError(
        .write, path, value: "\(sum)", errno: 12, diagnosis: "the VM finds too little there")
    }
    try tree.replace("\(sum)\n", at: path)
  }
}
