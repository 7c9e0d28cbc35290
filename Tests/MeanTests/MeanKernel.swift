import Bytes
import HostModel
import Ledger
import Port
import Recorded

/// The kernel as one process sees it: every call is a moment at which others may act, takes time, and
/// may be the process's last.
final class MeanKernel: Kernel {
  let world: World
  let player: Player

  init(_ world: World, _ player: Player) {
    self.world = world
    self.player = player
  }

  var ownPID: Int { player.pid }

  /// To one that was killed, no time is left for anything.
  var now: Deadline {
    player.isDead ? Deadline(nanoseconds: .max) : world.stage.time
  }

  private var kernel: RecordedKernel { world.kernel }

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    try bytes(of: path, orUntil: nil)
  }

  func bytes(of path: HostPath, until deadline: Deadline) throws(HostError) -> [UInt8] {
    try bytes(of: path, orUntil: deadline)
  }

  private func bytes(
    of path: HostPath, orUntil deadline: Deadline?
  ) throws(HostError) -> [UInt8] {
    try world.step(player)
    try world.waitForDevice(of: path, player, until: deadline)
    if let found = world.bytes(ofProcessFile: path) {
      guard let bytes = found else {
        throw HostError(.read, path, errno: ErrorNumber.notFound.number)
      }
      return bytes
    }
    let bytes = try kernel.bytes(of: path)
    world.noteRead(of: path, bytes, by: player)
    return bytes
  }

  func entries(of directory: HostPath) throws(HostError) -> [String] {
    try world.step(player)
    return try kernel.entries(of: directory)
  }

  func destination(of link: HostPath) throws(HostError) -> String {
    try world.step(player)
    return try kernel.destination(of: link)
  }

  func affinity(of tid: Int) throws(HostError) -> CPUList {
    try world.step(player)
    return try kernel.affinity(of: tid)
  }

  func scheduler(of tid: Int) throws(HostError) -> ThreadScheduler {
    try world.step(player)
    return try kernel.scheduler(of: tid)
  }

  func virtualFunctions(
    of interface: String, until deadline: Deadline
  ) throws(HostError) -> [VirtualFunctionState] {
    try world.step(player)
    return try kernel.virtualFunctions(of: interface, until: deadline)
  }

  func coreCookie(of tid: Int) throws(HostError) -> UInt64 {
    try world.step(player)
    return try kernel.coreCookie(of: tid)
  }

  func ask(
    _ question: String, at socket: HostPath, until deadline: Deadline
  ) throws(HostError) -> String {
    try world.step(player)
    return try kernel.ask(question, at: socket, until: deadline)
  }

  func exists(_ path: HostPath) -> Bool {
    guard world.passes(player) else { return false }
    return world.hasProcess(at: path) ?? kernel.exists(path)
  }

  func isWritable(_ path: HostPath) -> Bool { kernel.isWritable(path) }

  func isExecutable(_ path: HostPath) -> Bool { kernel.isExecutable(path) }

  func objection(toRunning path: HostPath) -> String? { kernel.objection(toRunning: path) }

  func write(_ text: String, to path: HostPath) throws(HostError) {
    try world.step(player)
    try world.write(text, to: path, by: player)
    try world.step(player)
  }

  func write(_ text: String, to path: HostPath, until deadline: Deadline) throws(HostError) {
    try world.step(player)
    try world.writeSlowly(text, to: path, by: player, until: deadline)
    try world.step(player)
  }

  func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction index: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError) {
    try world.step(player)
    try kernel.set(
      attribute, to: text, ofVirtualFunction: index, of: interface, until: deadline)
  }

  func loadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try world.step(player)
    try kernel.loadModule(named: name, until: deadline)
  }

  func unloadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try world.step(player)
    try kernel.unloadModule(named: name, until: deadline)
  }

  func pause(milliseconds: Int) {
    player.sleep(milliseconds: milliseconds)
    kernel.pause(milliseconds: milliseconds)
  }

  func whileLocked<Result>(
    _ path: HostPath, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    try world.step(player)
    guard kernel.exists(path) else { return try body() }
    guard world.take(path.name, player, until: deadline) else {
      throw HostError(.lock, path, errno: ErrorNumber.timedOut.number)
    }
    defer { world.release(path.name, player) }
    try world.step(player)
    return try body()
  }

  func setAffinity(_ cpus: CPUList, of tid: Int) throws(HostError) {
    try world.step(player)
    try kernel.setAffinity(cpus, of: tid)
  }

  func setCoreCookie(isOwn: Bool, of pid: Int) throws(HostError) {
    try world.step(player)
    try kernel.setCoreCookie(isOwn: isOwn, of: pid)
  }

  func tell(_ order: String, at socket: HostPath, until deadline: Deadline) throws(HostError) {
    try world.step(player)
    try kernel.tell(order, at: socket, until: deadline)
  }

  func setScheduler(_ scheduler: ThreadScheduler, of tid: Int) throws(HostError) {
    try world.step(player)
    try kernel.setScheduler(scheduler, of: tid)
  }
}
