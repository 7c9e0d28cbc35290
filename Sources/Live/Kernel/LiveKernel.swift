package import Bytes
import CLinux
internal import Formats
import Glibc
package import HostModel
internal import Port
internal import SystemCalls

/// The running kernel, by system calls.
///
/// Every call either does what it says or throws the number that the kernel gave, together with
/// what that number means in this place, where that is known.
package struct LiveKernel: Kernel {
  static let textLimit = 4 << 20
  /// As many as a list of CPUs can hold.
  private static let maskWords = CPUList.capacity / 64
  /// Where the kernel itself looks for it, too.
  private static let modprobe = "/sbin/modprobe"

  package init() {}

  package var now: Deadline { .now }

  package var ownPID: Int { Int(getpid()) }

  package func pause(milliseconds: Int) {
    let end = now.advanced(byMilliseconds: milliseconds)
    // A signal ends the sleep early.
    while case let start = now, start < end {
      let left = Int(end.nanoseconds - start.nanoseconds)
      var time = timespec(tv_sec: left / 1_000_000_000, tv_nsec: left % 1_000_000_000)
      nanosleep(&time, nil)
    }
  }

  /// Whether something stands at a path; a link counts by itself.
  ///
  /// Nothing is opened, as many kernel files can only be written to.
  package func exists(_ path: HostPath) -> Bool {
    var status = stat()
    return !path.leadsNowhere && lstat(path.cString, &status) == 0
  }

  /// By the file's mode, which does not bind root.
  package func isWritable(_ path: HostPath) -> Bool {
    var status = stat()
    return !path.leadsNowhere && stat(path.cString, &status) == 0 && status.st_mode & 0o222 != 0
  }

  package func isExecutable(_ path: HostPath) -> Bool {
    var status = stat()
    return !path.leadsNowhere && stat(path.cString, &status) == 0
      && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o111 != 0
  }

  /// A read that somebody else may hold up is made where it can be left behind.
  package func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    if BlockingReads.include(path) {
      return try bytes(of: path, until: now.advanced(byMilliseconds: Self.patience))
    }
    do {
      let file = try Descriptor(opening: path, O_RDONLY | O_NOCTTY)
      return try ShortReads.end(path)
        ? file.bytesUpToShortRead(limit: Self.textLimit) : file.bytes(limit: Self.textLimit)
    } catch {
      throw HostError(.read, path, errno: error.number)
    }
  }

  package func readLines(
    of path: HostPath, upTo limit: Int, _ body: (Span<UInt8>) -> Void
  ) throws(HostError) {
    do {
      try Descriptor(opening: path, O_RDONLY | O_NOCTTY)
        .readLines(limit: limit, longest: Self.textLimit, body)
    } catch {
      throw HostError(.read, path, errno: error.number)
    }
  }

  /// How long a read without a deadline may take, in milliseconds.
  private static let patience = 2_000

  package func bytes(of path: HostPath, until deadline: Deadline) throws(HostError) -> [UInt8] {
    let capacity = ShortReads.end(path) ? Self.pageSize : Self.textLimit
    var count = 0
    var failure: HostError?
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, length in
      guard let start = buffer.baseAddress else { return }
      do throws(HostError) {
        count = try abandonably(.read, path, until: deadline) { deadline, leftBehind in
          clinux_read_abandonable(path.cString, start, capacity, deadline, &leftBehind)
        }
        length = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    // What a process tells has room for millions of bytes.
    return capacity > Self.pageSize ? Array(bytes[...]) : bytes
  }

  /// More than an attribute of sysfs holds.
  private static let pageSize = 8192

  package func entries(of directory: HostPath) throws(HostError) -> [String] {
    do {
      try CallError.check(directory)
      return try DirectoryNames.read(at: directory)
    } catch {
      throw HostError(.list, directory, errno: error.number)
    }
  }

  package func destination(of link: HostPath) throws(HostError) -> String {
    do {
      try CallError.check(link)
      // A link holds fewer bytes than PATH_MAX, so that nothing is cut off.
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = try CallError.check(readlink(link.cString, &buffer, buffer.count))
      return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    } catch {
      throw HostError(.follow, link, errno: error.number)
    }
  }

  package func write(_ text: String, to path: HostPath) throws(HostError) {
    let bytes = Self.bytes(of: text)
    do {
      // O_TRUNC means nothing to kernel files; in a recorded tree it takes the old text away.
      let file = try Descriptor(opening: path, O_WRONLY | O_TRUNC | O_NOCTTY)
      let written = try file.write(once: bytes)
      try Self.check(written: written, of: bytes)
    } catch {
      throw Self.writeError(error, path, text)
    }
  }

  package func write(
    _ text: String, to path: HostPath, until deadline: Deadline
  ) throws(HostError) {
    let bytes = Self.bytes(of: text)
    do throws(HostError) {
      let written = try abandonably(.write, path, until: deadline) { deadline, leftBehind in
        clinux_write_abandonable(path.cString, bytes, bytes.count, deadline, &leftBehind)
      }
      // A rest would be a second write, which the kernel takes for another value.
      if written != bytes.count { throw HostError(.write, path, errno: EIO) }
    } catch {
      var failure = error
      failure.value = text.trimmed
      failure.diagnosis =
        error.diagnosis ?? WriteRefusal.diagnosis(of: error.errno, at: path)
      throw failure
    }
  }

  package func loadModule(named name: String, until deadline: Deadline) throws(HostError) {
    var leftBehind: Int32 = 0
    let status: Int
    do {
      try Self.check(module: name)
      status = try CallError.check(
        negated: clinux_load_module(Self.modprobe, name, deadline.nanoseconds, &leftBehind))
    } catch {
      throw Self.error(.call, Self.modprobe, value: name, error, leftBehind)
    }
    if status != 0 {
      throw HostError(
        .call, Self.modprobe, value: name, diagnosis: "it ended with status \(status)")
    }
  }

  package func unloadModule(named name: String, until deadline: Deadline) throws(HostError) {
    var leftBehind: Int32 = 0
    do {
      try Self.check(module: name)
      try _ = CallError.check(
        negated: clinux_unload_module(name, deadline.nanoseconds, &leftBehind))
    } catch {
      throw Self.error(.call, "delete_module", value: name, error, leftBehind)
    }
  }
}

extension LiveKernel {
  package func affinity(of tid: Int) throws(HostError) -> CPUList {
    var words = [UInt64](repeating: 0, count: Self.maskWords)
    do {
      try _ = CallError.check(
        negated: clinux_get_affinity(Self.threadNumber(tid), &words, words.count))
    } catch {
      throw HostError(.read, "CPUs of thread \(tid)", errno: error.number)
    }
    return CPUList(words: words)
  }

  package func setAffinity(_ cpus: CPUList, of tid: Int) throws(HostError) {
    let words = cpus.words
    // Since 6.12 a change of the cpuset at the same moment makes the call fail with EINVAL, too;
    // a second and third attempt tell that from a list that is wrong.
    var result: Int32 = 0
    for _ in 0..<3 {
      do {
        result = clinux_set_affinity(try Self.threadNumber(tid), words, words.count)
      } catch {
        result = -error.number
      }
      if result != -EINVAL { break }
    }
    if result == 0 { return }
    throw HostError(
      .write, "CPUs of thread \(tid)", value: cpus.description, errno: -result,
      diagnosis: diagnosis(ofAffinity: -result, tid))
  }

  package func scheduler(of tid: Int) throws(HostError) -> ThreadScheduler {
    var priority: Int32 = 0
    let policy: Int32
    do {
      policy = try CallError.check(
        negated: clinux_get_scheduler(Self.threadNumber(tid), &priority))
    } catch {
      throw HostError(.read, "scheduler of thread \(tid)", errno: error.number)
    }
    let reset = clinux_reset_on_fork()
    return ThreadScheduler(
      policy: Int(policy & ~reset), priority: Int(priority), resetsOnFork: policy & reset != 0)
  }

  package func setScheduler(_ scheduler: ThreadScheduler, of tid: Int) throws(HostError) {
    do throws(CallError) {
      guard let policy = Int32(exactly: scheduler.policy),
        let priority = Int32(exactly: scheduler.priority)
      else { throw CallError(number: EINVAL) }
      let flags = scheduler.resetsOnFork ? clinux_reset_on_fork() : 0
      try _ = CallError.check(
        negated: clinux_set_scheduler(Self.threadNumber(tid), policy | flags, priority))
    } catch {
      throw HostError(
        .write, "scheduler of thread \(tid)", value: scheduler.description, errno: error.number,
        diagnosis: error.number == EPERM && geteuid() == 0
          ? "its cgroup has no real-time budget, or CAP_SYS_NICE is missing" : nil)
    }
  }

  /// Why the kernel refused a thread's CPUs.
  private func diagnosis(ofAffinity number: Int32, _ tid: Int) -> String? {
    guard number == EINVAL else { return nil }
    if isBoundByKernel(tid) { return "the kernel binds this thread itself" }
    return "none of these CPUs is online and allowed by the thread's cpuset"
  }

  private func isBoundByKernel(_ tid: Int) -> Bool {
    let stat = try? text(of: "/proc/\(tid)/stat")
    return stat.flatMap { ProcessStat($0) }?.isBoundByKernel ?? false
  }
}

extension LiveKernel {
  /// Refuses what cannot be a module's name or the alias of a device, such as a path or an option.
  private static func check(module name: String) throws(CallError) {
    let isName = name.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: "-_:".utf8.contains(byte)
      }
    }
    if !isName || name.isEmpty || name.begins(with: "-") { throw CallError(number: EINVAL) }
  }

  /// Makes a call where it can be left behind.
  ///
  /// - Throws: `ETIMEDOUT` at once where an earlier call of this process still waits for the same
  ///   device.
  func abandonably(
    _ operation: HostOperation, _ path: HostPath, until deadline: Deadline,
    _ call: (_ deadline: UInt64, _ leftBehind: inout Int32) -> Int
  ) throws(HostError) -> Int {
    if let child = LeftBehind.child(at: path) {
      throw Self.error(operation, path.description, CallError(number: ETIMEDOUT), Int32(child))
    }
    let isRead = operation == .read
    let limit = isRead ? LeftBehind.limit(of: path, within: deadline) : deadline
    var leftBehind: Int32 = 0
    do throws(CallError) {
      try CallError.check(path)
      let result = try CallError.check(negated: call(limit.nanoseconds, &leftBehind))
      if isRead { LeftBehind.note(hasAnswered: true, at: path) }
      return result
    } catch {
      if leftBehind != 0 { LeftBehind.note(leftBehind, at: path) }
      if isRead, error.number == ETIMEDOUT { LeftBehind.note(hasAnswered: false, at: path) }
      throw Self.error(operation, path.description, error, leftBehind)
    }
  }

  /// How a call failed that can be left behind, with the child that it left.
  private static func error(
    _ operation: HostOperation, _ place: String, value: String? = nil, _ error: CallError,
    _ leftBehind: Int32
  ) -> HostError {
    var failure = HostError(
      operation, place, value: value, errno: error.number,
      diagnosis: diagnosis(of: error, leftBehind))
    // One that has told its result is past what it had to do.
    if leftBehind != 0, error.number == ETIMEDOUT { failure.leftBehind = Int(leftBehind) }
    return failure
  }

  /// What became of the child of a call that can be left behind; nil where it just failed.
  private static func diagnosis(of error: CallError, _ leftBehind: Int32) -> String? {
    if leftBehind != 0 {
      return "the kernel does not come back; process \(leftBehind) waits there"
    }
    return error.number == ETIMEDOUT ? "it was given up at its deadline" : nil
  }

  /// Refuses numbers that name no single thread: 0 would be the caller itself.
  static func threadNumber(_ tid: Int) throws(CallError) -> Int32 {
    guard let number = Int32(exactly: tid), number > 0 else { throw CallError(number: ESRCH) }
    return number
  }

  /// What is written for a text.
  ///
  /// sysfs does nothing at all for a write of no bytes, so that an empty text is a line of its
  /// own: that is how `driver_override` and `cpuset.cpus` are emptied.
  private static func bytes(of text: String) -> [UInt8] {
    text.isEmpty ? [UInt8(ascii: "\n")] : Array(text.utf8)
  }

  private static func check(written: Int, of bytes: [UInt8]) throws(CallError) {
    // A rest would be a second write, which the kernel takes for another value.
    if written != bytes.count { throw CallError(number: EIO) }
  }

  private static func writeError(_ error: CallError, _ path: HostPath, _ text: String) -> HostError
  {
    HostError(
      .write, path, value: text.trimmed, errno: error.number,
      diagnosis: WriteRefusal.diagnosis(of: error.number, at: path))
  }
}
