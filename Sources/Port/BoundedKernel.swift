internal import Bytes
package import HostModel

/// A kernel that is asked until a moment and no longer.
///
/// Of files whose read another one may hold up (`BlockingReads`) each read ends by the deadline, and
/// within a patience of its own before that: many reads happen under the ledger's lock. All else is
/// passed on as it is.
struct BoundedKernel<Base: KernelReader>: KernelReader {
  let base: Base
  let deadline: Deadline

  /// How long one read may take, in milliseconds.
  static var patience: Int { 2_000 }
  /// How long it may take where the deadline has passed: what was done last is looked at still, which
  /// costs a kernel that answers less than one.
  static var grace: Int { 100 }

  /// The moment by which a read that begins now is over.
  private var limit: Deadline {
    let now = base.now
    return max(
      min(deadline, now.advanced(byMilliseconds: Self.patience)),
      now.advanced(byMilliseconds: Self.grace))
  }

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    BlockingReads.include(path)
      ? try base.bytes(of: path, until: limit) : try base.bytes(of: path)
  }

  func readLines(
    of path: HostPath, upTo limit: Int, _ body: (Span<UInt8>) -> Void
  ) throws(HostError) {
    try base.readLines(of: path, upTo: limit, body)
  }

  func bytes(of path: HostPath, until deadline: Deadline) throws(HostError) -> [UInt8] {
    try base.bytes(of: path, until: min(limit, deadline))
  }

  func virtualFunctions(
    of interface: String, until deadline: Deadline
  ) throws(HostError) -> [VirtualFunctionState] {
    try base.virtualFunctions(of: interface, until: min(limit, deadline))
  }

  func entries(of directory: HostPath) throws(HostError) -> [String] {
    try base.entries(of: directory)
  }

  func destination(of link: HostPath) throws(HostError) -> String {
    try base.destination(of: link)
  }

  func affinity(of tid: Int) throws(HostError) -> CPUList { try base.affinity(of: tid) }

  func scheduler(of tid: Int) throws(HostError) -> ThreadScheduler { try base.scheduler(of: tid) }

  func coreCookie(of tid: Int) throws(HostError) -> UInt64 { try base.coreCookie(of: tid) }

  func ask(
    _ question: String, at socket: HostPath, until deadline: Deadline
  ) throws(HostError) -> String {
    try base.ask(question, at: socket, until: min(limit, deadline))
  }

  func isTaken(_ disk: BlockDevice, until deadline: Deadline) throws(HostError) -> Bool? {
    try base.isTaken(disk, until: min(limit, deadline))
  }

  func exists(_ path: HostPath) -> Bool { base.exists(path) }

  func isWritable(_ path: HostPath) -> Bool { base.isWritable(path) }

  func isExecutable(_ path: HostPath) -> Bool { base.isExecutable(path) }

  func objection(toRunning path: HostPath) -> String? { base.objection(toRunning: path) }

  var ownPID: Int { base.ownPID }

  var now: Deadline { base.now }
}

extension BoundedKernel: Kernel where Base: Kernel {
  func write(_ text: String, to path: HostPath) throws(HostError) {
    try base.write(text, to: path)
  }

  func write(_ text: String, to path: HostPath, until deadline: Deadline) throws(HostError) {
    try base.write(text, to: path, until: deadline)
  }

  func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction index: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError) {
    try base.set(
      attribute, to: text, ofVirtualFunction: index, of: interface, until: deadline)
  }

  func loadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try base.loadModule(named: name, until: deadline)
  }

  func unloadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try base.unloadModule(named: name, until: deadline)
  }

  func pause(milliseconds: Int) { base.pause(milliseconds: milliseconds) }

  func whileLocked<Result>(
    _ path: HostPath, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    try base.whileLocked(path, until: deadline, body)
  }

  func setAffinity(_ cpus: CPUList, of tid: Int) throws(HostError) {
    try base.setAffinity(cpus, of: tid)
  }

  func setCoreCookie(isOwn: Bool, of pid: Int) throws(HostError) {
    try base.setCoreCookie(isOwn: isOwn, of: pid)
  }

  func tell(_ order: String, at socket: HostPath, until deadline: Deadline) throws(HostError) {
    try base.tell(order, at: socket, until: min(deadline, limit))
  }

  func setScheduler(_ scheduler: ThreadScheduler, of tid: Int) throws(HostError) {
    try base.setScheduler(scheduler, of: tid)
  }
}

extension KernelReader {
  /// The same kernel, for whoever has to be done by a moment.
  package func bounded(by deadline: Deadline) -> any KernelReader {
    BoundedKernel(base: self, deadline: deadline)
  }
}

extension Kernel {
  /// The same kernel, for whoever has to be done by a moment; writes have deadlines of their own.
  package func bounded(by deadline: Deadline) -> any Kernel {
    BoundedKernel(base: self, deadline: deadline)
  }
}
