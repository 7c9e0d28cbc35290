import Bytes
import HostModel
import Port
import Recorded

extension World {
  static let killed = HostError(.call, "killed", errno: ErrorNumber.inputOutput.number)

  /// A moment between two steps of a process: others may act, time passes, and it may be killed.
  func step(_ player: Player) throws(HostError) {
    guard passes(player) else { throw Self.killed }
  }

  /// The same; whether the process still lives.
  func passes(_ player: Player) -> Bool {
    if player.isDead { return false }
    player.calls += 1
    tally.calls += 1
    if player.death == player.calls {
      note("\(player.name) is killed")
      player.kill()
      return false
    }
    stage.advance(UInt64(4_000 + player.random.pick(20_000)))
    switch player.random.pick(20_000) {
    case ..<300: player.sleep(until: now)
    case ..<310:
      // Nobody's fault: the process does not get a CPU, or is stopped and goes on.
      let nanoseconds = UInt64(1 + player.random.pick(4_000)) * 1_000_000
      player.stalled += nanoseconds
      stalledUntil = max(stalledUntil, now + nanoseconds)
      player.sleep(until: now + nanoseconds)
    default: if stage.isDue { player.sleep(until: now) }
    }
    return !player.isDead
  }

  // MARK: Locks

  /// Takes a lock; false where the deadline passed, or the process was killed.
  func take(_ name: String, _ player: Player, until deadline: Deadline) -> Bool {
    let began = now
    var isCounted = name == "lock"
    while let holder = locks[name]?.holder {
      // Whoever gives back, or takes for the same VM, is waited for; another one's start is not.
      if let other = holder.starts, other != player.vm { isCounted = true }
      if player.isDead || now >= deadline.nanoseconds { break }
      if began == now {
        tally.waits += 1
        note("\(player.name) waits for \(name), which \(holder.name) has")
      }
      player.waitsFor = name
      player.sleep(until: deadline.nanoseconds)
      player.waitsFor = nil
    }
    if isCounted { player.waited += now - began }
    if player.isDead || locks[name]?.holder != nil {
      if !player.isDead { note("\(player.name) waited in vain for \(name)") }
      return false
    }
    locks[name] = Lock(holder: player, since: now)
    player.holds.append(name)
    return true
  }

  func release(_ name: String, _ player: Player) {
    guard locks[name]?.holder === player else { return }
    locks[name] = nil
    player.holds.removeAll { $0 == name }
    for waiting in stage.players where waiting.waitsFor == name { waiting.wake = now }
  }

  // MARK: Devices

  /// The device that a path is about, if a read or a write there takes its lock.
  ///
  /// `driver_override_show()` and `sriov_numvfs_show()` take the lock that a driver's unbinding holds
  /// until it is over (drivers/pci/pci-sysfs.c, drivers/pci/iov.c).
  private func device(of path: HostPath, _ text: String? = nil) -> String? {
    let isAsked = text == nil
    if isAsked, path.name != "driver_override", path.name != "sriov_numvfs" { return nil }
    if path.name == "drivers_probe" || path.name == "bind" || path.name == "unbind" {
      return text?.trimmed
    }
    for component in path.components.reversed() {
      let name = String(decoding: component, as: UTF8.self)
      if SmallHost.functions.contains(where: { $0.name == name }) {
        return path.name == "config" ? nil : name
      }
    }
    return nil
  }

  /// Waits as the kernel does, where nobody can call it off.
  func waitForDevice(
    of path: HostPath, _ player: Player, until deadline: Deadline?
  ) throws(HostError) {
    guard let device = device(of: path) else { return }
    if let end = busy[device], end > now {
      note("\(player.name) reads \(path) and waits for whoever works on \(device)")
    }
    while let end = busy[device], end > now {
      if let deadline, now >= deadline.nanoseconds {
        let child = leaveBehind(by: player, until: end)
        throw timedOut(.read, path, nil, child)
      }
      player.sleep(until: min(end, deadline?.nanoseconds ?? .max))
      // Nothing wakes it, not even a signal.
      if player.isDead { throw Self.killed }
    }
  }

  private func timedOut(
    _ operation: HostOperation, _ path: HostPath, _ value: String?, _ child: Int?
  ) -> HostError {
    var error = HostError(operation, path, value: value, errno: ErrorNumber.timedOut.number)
    error.leftBehind = child
    return error
  }

  /// A child that waits in the kernel, and cannot be killed before that has done.
  private func leaveBehind(by player: Player, until moment: UInt64) -> Int {
    let child = enter("berth", parent: player.pid, [])
    stage.at(moment) { self.end(child) }
    return child
  }

  // MARK: Writes

  /// How long a write takes, in milliseconds; nil for one that is done at once.
  private func duration(of path: HostPath, _ text: String, _ player: Player) -> Int? {
    let random = player.random.pick(100)
    switch path.name {
    case "unbind": return random < 10 ? 500 + random * 100 : random
    case "bind", "drivers_probe": return random < 10 ? 300 + random * 50 : random
    case "driver_override": return 0
    case "nr_hugepages": return random < 20 ? random * 150 : random
    case "compact", "drop_caches": return random < 20 ? random * 200 : random
    case "remove", "rescan": return random * 10
    case "sriov_numvfs": return random * 20
    default: return nil
    }
  }

  /// Writes where the writer can be left behind: what it has begun then happens later.
  func writeSlowly(
    _ text: String, to path: HostPath, by player: Player, until deadline: Deadline
  ) throws(HostError) {
    guard let milliseconds = duration(of: path, text, player) else {
      return try write(text, to: path, by: player)
    }
    let device = device(of: path, text)
    checkOrder(of: setting(at: path, device), player)
    // A child for each write, which waits for the device, and for the driver to let go.
    let child = enter("berth", parent: player.pid, [])
    let begun = max(now, device.flatMap { busy[$0] } ?? 0)
    var end = begun + UInt64(milliseconds) * 1_000_000
    if path.name == "unbind", let device, let hang = hangs[device], hang > begun {
      end = max(end, hang)
      tally.hangs += 1
      note("\(player.name)'s unbind of \(device) hangs")
    }
    if path.name == "unbind", let device { checkThatNobodyHas(device, player) }
    if let device { busy[device] = max(end, now) }
    let result = PendingWrite()
    writesLeft += 1
    func finish() {
      // A driver of VFIO waits for whoever has the device open (drivers/vfio/vfio_main.c,
      // `vfio_unregister_group_dev()`).
      if path.name == "unbind", let device, self.user(of: device) != nil {
        end = now + 2_000_000_000
        busy[device] = end
        return stage.at(end, finish)
      }
      self.writesLeft -= 1
      if result.isCalledOff { return self.end(child) }
      do throws(HostError) {
        if result.isLate {
          self.tally.lateEnds += 1
          self.note("“\(text.trimmed)” gets to \(path) late")
        }
        try self.write(text, to: path, by: player, isLate: result.isLate)
      } catch {
        result.error = error
      }
      result.isDone = true
      self.end(child)
      player.wake = min(player.wake, self.now)
    }
    stage.at(end, finish)
    while !result.isDone, !player.isDead, now < deadline.nanoseconds {
      player.sleep(until: deadline.nanoseconds)
    }
    if result.isDone {
      if player.isDead { throw Self.killed }
      if let error = result.error { throw error }
      return
    }
    // An allocation ends with the signal, with what it has by then (mm/hugetlb.c,
    // `set_max_huge_pages()`); what waits for a device goes on with it.
    let isCalledOff = path.name == "nr_hugepages" || path.name == "compact"
    if isCalledOff {
      result.isCalledOff = true
      self.end(child)
    } else {
      result.isLate = true
    }
    if player.isDead { throw Self.killed }
    note("\(player.name) leaves “\(text.trimmed)” to \(path) behind")
    throw timedOut(.write, path, text.trimmed, isCalledOff ? nil : child)
  }

  /// The slow setting that a write is about.
  private func setting(at path: HostPath, _ device: String?) -> Setting? {
    if path.name == "nr_hugepages" {
      let node = path.parent.parent.parent.name.last.flatMap { Int(String($0)) }
      return node.map { .hugepagePool(HugepagePool(node: $0, pageKiB: SmallHost.pageKiB)) }
    }
    guard path.name != "remove" else { return nil }
    return device.flatMap { PCIAddress($0) }.map { .driver($0) }
  }

  /// A function that a VM was let in with stays its own until its QEMU has ended.
  private func checkThatNobodyHas(_ function: String, _ player: Player) {
    guard let guest = user(of: function), guest.held.contains(function) else { return }
    find(.takenApart, "\(player.name) takes \(function) from \(guest.name), which runs")
  }

  /// What becomes of a write of Berth's.
  func write(
    _ text: String, to path: HostPath, by player: Player, isLate: Bool = false
  ) throws(HostError) {
    noteWrite(to: path, text, by: player, isLate: isLate)
    try kernel.write(text, to: path)
    if path.name == "cpuset.cpus.partition" {
      checkThatNobodyIsTakenApart(by: player.name)
    }
  }
}

/// A write that a child makes.
final class PendingWrite {
  var isDone = false
  var isLate = false
  var isCalledOff = false
  var error: HostError?
}
