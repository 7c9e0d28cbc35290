package import Bytes
internal import Formats
internal import Glibc
package import HostModel
internal import Port
internal import SystemCalls

/// The kernel of a recorded host: reads a tree of files, and answers writes as a kernel would.
///
/// A live kernel grants a part, refuses, or writes something else than it was told, and a plan
/// that is tried on a recorded host has to meet that: see `allManners`.
package struct RecordedKernel: Kernel {
  let tree: RecordedTree
  let hangs = RecordedHangs()
  /// What the host was unpacked into, if it was.
  private let folder: TemporaryFolder?

  /// The folder that the host is in.
  package var root: String { tree.root }

  /// The kernel of the host recorded in the folder `root`.
  package init(root: String) {
    tree = RecordedTree(root: root)
    folder = nil
  }

  /// The kernel of the host recorded in a folder or in a file.
  ///
  /// - Throws: Where there is no recorded host at that place, with what is wrong with it.
  package init(at place: String) throws(HostError) {
    if RecordedTree(root: place).isFolder {
      tree = RecordedTree(root: place)
      folder = nil
    } else {
      let host = try CaptureFile.host(at: place)
      let folder = try TemporaryFolder()
      try host.unpack(into: folder.path)
      tree = RecordedTree(root: folder.path)
      self.folder = folder
    }
    try tree.checkHost(named: place)
  }

  /// A read that may be held up is made where it can be left behind, as on a live host.
  package func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    try bytes(of: path, until: now.advanced(byMilliseconds: Self.patience))
  }

  private static let patience = 2_000

  package func bytes(of path: HostPath, until deadline: Deadline) throws(HostError) -> [UInt8] {
    try leaveWhereHeld(path, until: deadline)
    if path.begins(with: FrequencyManners.root) { try FrequencyManners.check(path, in: tree) }
    if try isUnknown(path) { throw HostError(.read, path, errno: ENOENT) }
    return try tree.bytes(of: path)
  }

  package func entries(of directory: HostPath) throws(HostError) -> [String] {
    var names = try tree.entries(of: directory)
    if try isUnknown("\(directory)/cpuset.cpus.exclusive") {
      names.removeAll { $0.begins(with: "cpuset.cpus.exclusive") }
    }
    if directory == "/proc" || directory == "/proc/irq" { tree.memory.forget() }
    tree.threads.note(names, in: directory)
    return names
  }

  package func destination(of link: HostPath) throws(HostError) -> String {
    try tree.destination(of: link)
  }

  package func exists(_ path: HostPath) -> Bool {
    tree.hasEntry(path) && !((try? isUnknown(path)) ?? false)
  }

  /// Whether the recorded kernel has no such file, whatever the record of another one holds:
  /// `cpuset.cpus.exclusive` came with Linux 6.7, and earlier kernels have it only where somebody has
  /// ported it back.
  private func isUnknown(_ path: HostPath) throws(HostError) -> Bool {
    guard path.begins(with: CPUSets.root), path.name.begins(with: "cpuset.cpus.exclusive") else {
      return false
    }
    let version = try tree.memory.version { () throws(HostError) in try self.version() }
    return version >= KernelVersion(major: 6, minor: 0)
      && version < KernelVersion(major: 6, minor: 7)
  }

  package func isExecutable(_ path: HostPath) -> Bool { tree.isExecutable(path) }

  package func affinity(of tid: Int) throws(HostError) -> CPUList {
    try RecordedThread.affinity(of: tid, in: tree)
  }

  package func scheduler(of tid: Int) throws(HostError) -> ThreadScheduler {
    try RecordedThread(tid, in: tree, for: .read).scheduler()
  }

  /// The live clock, and what time has passed on this host while nothing came back.
  package var now: Deadline { hangs.now }

  package func write(_ text: String, to path: HostPath) throws(HostError) {
    let place = try tree.resolved(path, for: .write)
    let isUnknown = try isUnknown(place)
    if isUnknown || !tree.exists(place) {
      throw HostError(.write, path, value: text.trimmed, errno: ENOENT)
    }
    let limits = try RecordedLimits(of: tree)
    if let number = limits.number("refuses", of: place).flatMap({ Int32(exactly: $0) }) {
      throw HostError(.write, path, value: text.trimmed, errno: number)
    }
    if let manners = allManners.first(where: { $0.apply(to: place) }) {
      try manners.write(text, to: place, in: tree)
    } else {
      try tree.replace(text.trimmed + "\n", at: place)
    }
  }

  package func write(
    _ text: String, to path: HostPath, until deadline: Deadline
  ) throws(HostError) {
    let place = try tree.resolved(path, for: .write)
    try leaveWhereHeld(text, place, named: path, until: deadline)
    try write(text, to: path)
  }

  package func setAffinity(_ cpus: CPUList, of tid: Int) throws(HostError) {
    try RecordedThread(tid, in: tree, for: .write).setAffinity(cpus)
  }

  package func setScheduler(_ scheduler: ThreadScheduler, of tid: Int) throws(HostError) {
    try RecordedThread(tid, in: tree, for: .write).setScheduler(scheduler)
  }
}

extension RecordedKernel {
  /// Since Linux 6.12 the files of interrupts that cannot be moved are there to be read only
  /// (kernel/irq/proc.c, `register_irq_proc()`).
  package func isWritable(_ path: HostPath) -> Bool {
    guard let version = try? tree.memory.version(orElse: version),
      version >= KernelVersion(major: 6, minor: 12), let limits = try? RecordedLimits(of: tree)
    else { return true }
    return limits.value("managed", of: path) == nil
  }

  /// A record does not tell whose a program is.
  package func objection(toRunning path: HostPath) -> String? {
    if tree.isExecutable(path) { return nil }
    return tree.exists(path) ? "is not a program" : "is not there"
  }

  /// No process of the recorded host.
  package var ownPID: Int { 0 }

  /// Nothing of a recorded host changes by itself, so there is nothing to wait for; who pauses wants
  /// to see what others have done meanwhile.
  package func pause(milliseconds: Int) { tree.memory.forget() }

  /// A recorded host has the modules that it was recorded with.
  package func loadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try RecordedModules(tree: tree).load(name)
  }

  package func unloadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try RecordedModules(tree: tree).unload(name)
  }
}
