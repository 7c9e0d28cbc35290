import Bytes
import HostModel
import Port
import Recorded

/// A host that reads as another one does but for what it says itself.
protocol AlteredReader: KernelReader {
  var kernel: any KernelReader { get }
}

extension AlteredReader {
  func bytes(of path: HostPath) throws(HostError) -> [UInt8] { try kernel.bytes(of: path) }

  func entries(of directory: HostPath) throws(HostError) -> [String] {
    try kernel.entries(of: directory)
  }

  func destination(of link: HostPath) throws(HostError) -> String {
    try kernel.destination(of: link)
  }

  func affinity(of tid: Int) throws(HostError) -> CPUList { try kernel.affinity(of: tid) }

  func scheduler(of tid: Int) throws(HostError) -> ThreadScheduler {
    try kernel.scheduler(of: tid)
  }

  var ownPID: Int { kernel.ownPID }

  var now: Deadline { kernel.now }
}

/// A host on which everything below a prefix is missing.
struct WithoutPrefix: AlteredReader {
  var kernel: any KernelReader
  var prefix: String

  private func check(_ path: HostPath, _ operation: HostOperation) throws(HostError) {
    if path.starts(with: prefix) { throw HostError(operation, path, errno: 2) }
  }

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    try check(path, .read)
    return try kernel.bytes(of: path)
  }

  func entries(of directory: HostPath) throws(HostError) -> [String] {
    try check(directory, .list)
    return try kernel.entries(of: directory)
  }

  func destination(of link: HostPath) throws(HostError) -> String {
    try check(link, .follow)
    return try kernel.destination(of: link)
  }
}

/// A host on which some files say something else.
struct Amended: AlteredReader {
  var kernel: any KernelReader
  var texts: [HostPath: String]

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    if let text = texts[path] { return Array(text.utf8) }
    return try kernel.bytes(of: path)
  }
}

/// A host that counts how often each of its files and folders is read.
final class Counting: AlteredReader {
  let kernel: any KernelReader
  private(set) var reads: [HostPath: Int] = [:]
  /// What somebody else does just before a file is read for the first time.
  var interruptions: [HostPath: () -> Void] = [:]

  init(_ kernel: any KernelReader) { self.kernel = kernel }

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    reads[path, default: 0] += 1
    interruptions.removeValue(forKey: path)?()
    return try kernel.bytes(of: path)
  }

  func entries(of directory: HostPath) throws(HostError) -> [String] {
    reads[directory, default: 0] += 1
    return try kernel.entries(of: directory)
  }

  func destination(of link: HostPath) throws(HostError) -> String {
    reads[link, default: 0] += 1
    return try kernel.destination(of: link)
  }

  func exists(_ path: HostPath) -> Bool { kernel.exists(path) }
}

/// A host on which some files cannot be read.
struct Unreadable: AlteredReader {
  var kernel: any KernelReader
  /// What comes of reading one; `nil` for the file as it is.
  var failure: @Sendable (HostPath) -> Int32?

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    if let number = failure(path) { throw HostError(.read, path, errno: number) }
    return try kernel.bytes(of: path)
  }

  func exists(_ path: HostPath) -> Bool { kernel.exists(path) }
}
