package import Bytes
package import HostModel

/// What Berth reads of a kernel, live or recorded.
///
/// Paths are absolute as on the running host (`/sys/…`, `/proc/…`); a recorded host puts its root
/// in front of them. Every error carries the path and the number of errno(3): a path that leads
/// nowhere is `EINVAL`.
package protocol KernelReader {
  /// All bytes of a file.
  ///
  /// - Throws: `EFBIG` for more than 4 MiB.
  func bytes(of path: HostPath) throws(HostError) -> [UInt8]

  /// Hands on the lines of a file that users of the host make longer, such as by mounts of their own,
  /// without the newline and one at a time: no more of the file is ever held.
  ///
  /// - Throws: `EFBIG` for more than `limit` bytes, and for a line of more than 4 MiB.
  func readLines(
    of path: HostPath, upTo limit: Int, _ body: (Span<UInt8>) -> Void
  ) throws(HostError)

  /// The same of a file whose read may wait for somebody else's work (`BlockingReads`): it is read
  /// where it can be left behind.
  ///
  /// - Throws: `ETIMEDOUT` when the deadline passed, with whoever still waits in the kernel
  ///   (`HostError.leftBehind`).
  func bytes(of path: HostPath, until deadline: Deadline) throws(HostError) -> [UInt8]

  /// The names in a directory, in ascending order, without `.` and `..`.
  ///
  /// A name that is not UTF-8 comes out changed, and names nothing.
  func entries(of directory: HostPath) throws(HostError) -> [String]

  /// Where a symbolic link leads, as the link says it.
  func destination(of link: HostPath) throws(HostError) -> String

  /// The CPUs that a thread may run on (`sched_getaffinity(2)`).
  func affinity(of tid: Int) throws(HostError) -> CPUList

  /// A thread's scheduling policy (`sched_getscheduler(2)`, `sched_getparam(2)`).
  func scheduler(of tid: Int) throws(HostError) -> ThreadScheduler

  /// The virtual functions of a physical one, as the driver of its network interface tells
  /// (rtnetlink(7)); ascending.
  ///
  /// - Throws: `ENODEV` where there is no such interface, `ETIMEDOUT` when the deadline passed.
  func virtualFunctions(
    of interface: String, until deadline: Deadline
  ) throws(HostError) -> [VirtualFunctionState]

  /// The core-scheduling cookie of a thread; 0 for none (`prctl(2)`, `PR_SCHED_CORE_GET`).
  ///
  /// - Throws: `ENODEV` on a host without SMT, `EINVAL` where the kernel is built without it.
  func coreCookie(of tid: Int) throws(HostError) -> UInt64

  /// What another program answers to a question on a socket of its own, that changes nothing there.
  ///
  /// - Throws: `ECONNREFUSED` where nobody listens, `ETIMEDOUT` where nobody answered until the
  ///   deadline, `EFBIG` for more than 64 KiB.
  func ask(_ question: String, at socket: HostPath, until deadline: Deadline)
    throws(HostError) -> String

  /// Whether somebody has a disk, or a part of it, to himself, as file systems, pools, volumes and swap do
  /// (open(2), `O_EXCL`); nil where that cannot be asked.
  ///
  /// Nobody who opens it meanwhile without wanting it alone is disturbed, nothing is read of it, and no
  /// medium is waited for.
  ///
  /// - Throws: `ETIMEDOUT` where the disk did not answer until the deadline.
  func isTaken(_ disk: BlockDevice, until deadline: Deadline) throws(HostError) -> Bool?

  /// Whether something stands at a path; a link counts by itself.
  func exists(_ path: HostPath) -> Bool

  /// Whether the kernel says of a file that it takes any writes at all, whoever asks.
  func isWritable(_ path: HostPath) -> Bool

  /// Whether a file is a program by its mode, wherever a link there leads.
  func isExecutable(_ path: HostPath) -> Bool

  /// Why a program is not to be run, as the end of “it …”; nil for one that nobody but root can have
  /// put there.
  func objection(toRunning path: HostPath) -> String?

  /// The number of the process that reads.
  var ownPID: Int { get }

  /// The moment that it is now.
  var now: Deadline { get }
}

extension KernelReader {
  /// The answer of one that has no longer files.
  package func readLines(
    of path: HostPath, upTo limit: Int, _ body: (Span<UInt8>) -> Void
  ) throws(HostError) {
    let bytes = try bytes(of: path)
    var start = 0
    bytes.span.passLines(from: &start, body)
    if start < bytes.count { body(bytes.span.extracting(start..<bytes.count)) }
  }
}

/// A kernel that can also be written to.
package protocol Kernel: KernelReader {
  /// Writes to an existing file in one call.
  ///
  /// The file is opened without `O_CREAT`: a place that does not exist is `ENOENT`, never a new
  /// file.
  func write(_ text: String, to path: HostPath) throws(HostError)

  /// Writes where the writer can be left behind: in a child process that holds none of the
  /// caller's descriptors.
  ///
  /// - Throws: `ETIMEDOUT` when the deadline passed and the child was killed; whether the kernel
  ///   still carries the write out is then unknown.
  func write(_ text: String, to path: HostPath, until deadline: Deadline) throws(HostError)

  /// Tells the driver of an interface what a virtual function is to be.
  ///
  /// - Throws: What the driver answers: `EOPNOTSUPP` for what it cannot do, `EINVAL` for a value
  ///   that it does not take; `ETIMEDOUT` when the deadline passed.
  func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction index: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError)

  /// Loads the module of a driver, with all that it depends on.
  func loadModule(named name: String, until deadline: Deadline) throws(HostError)

  /// Unloads a module that nobody uses.
  ///
  /// - Throws: `EAGAIN` where somebody uses it, `EBUSY` where it cannot be unloaded, `ENOENT` where
  ///   it is not loaded.
  func unloadModule(named name: String, until deadline: Deadline) throws(HostError)

  /// Waits; for places that change a moment after the write and tell nobody.
  func pause(milliseconds: Int)

  /// Does something while it holds another program's lock (flock(2)); at once where the lock's file
  /// is not there, or nobody but root can have meant it.
  ///
  /// - Throws: `ETIMEDOUT` if the lock was not to be had until the deadline; what `body` throws.
  func whileLocked<Result>(
    _ path: HostPath, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result

  /// Lets a thread run on these CPUs only (`sched_setaffinity(2)`).
  func setAffinity(_ cpus: CPUList, of tid: Int) throws(HostError)

  /// Gives all threads of a process a core-scheduling cookie of their own, or none.
  func setCoreCookie(isOwn: Bool, of pid: Int) throws(HostError)

  /// Has another program do something, on a socket of its own; returns when it has ended the
  /// connection.
  func tell(_ order: String, at socket: HostPath, until deadline: Deadline) throws(HostError)

  /// Changes a thread's scheduling policy (`sched_setscheduler(2)`).
  func setScheduler(_ scheduler: ThreadScheduler, of tid: Int) throws(HostError)
}

extension Kernel {
  /// The answer of a kernel on which nobody else is at work.
  package func whileLocked<Result>(
    _ path: HostPath, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    try body()
  }
}

extension KernelReader {
  /// The answer of a reader whose files nobody holds up.
  package func bytes(of path: HostPath, until deadline: Deadline) throws(HostError) -> [UInt8] {
    try bytes(of: path)
  }

  /// The answer of a reader that has no interfaces.
  package func virtualFunctions(
    of interface: String, until deadline: Deadline
  ) throws(HostError) -> [VirtualFunctionState] {
    throw HostError(.read, "VFs of \(interface)", errno: ErrorNumber.noDevice.number)
  }

  /// The answer of a reader that has no disks.
  package func isTaken(
    _ disk: BlockDevice, until deadline: Deadline
  ) throws(HostError) -> Bool? { nil }

  /// The answer of a reader that has nothing better to ask.
  package func exists(_ path: HostPath) -> Bool {
    if (try? bytes(of: path)) != nil { return true }
    if (try? entries(of: path)) != nil { return true }
    return (try? destination(of: path)) != nil
  }

  /// The answer of a reader that knows no owners.
  package func objection(toRunning path: HostPath) -> String? {
    exists(path) ? nil : "is not there"
  }

  /// The answer of a reader on which nobody listens.
  package func ask(
    _ question: String, at socket: HostPath, until deadline: Deadline
  ) throws(HostError) -> String {
    throw HostError(.connect, socket, errno: ErrorNumber.refused.number)
  }

  /// The answer of a kernel that is built without core scheduling.
  package func coreCookie(of tid: Int) throws(HostError) -> UInt64 {
    throw HostError(.read, "core cookie of \(tid)", errno: ErrorNumber.invalid.number)
  }

  /// The answer of a reader that cannot tell.
  package func isWritable(_ path: HostPath) -> Bool { true }

  /// The answer of a reader that knows no modes.
  package func isExecutable(_ path: HostPath) -> Bool { false }
}
